// What the webhook builder says about states, codes and times. Pure.

import type { Bin, BinRequest, DeliveryRecord, Endpoint, EndpointStatus, HandshakeStep, Job, JobKind } from '../../api/webhooks-wire';
import { countText, counted } from '../../util/numbers';
import { outcomeText, standingOf } from '../details/words';

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface Standing {
  word: string;
  tone: Tone;
  icon: 'check' | 'pause' | 'warn' | 'clock';
}

export function endpointStanding(status: EndpointStatus): Standing {
  switch (status) {
    case 'Active':
      return { word: 'Active', tone: 'good', icon: 'check' };
    case 'Paused':
      return { word: 'Paused', tone: 'plain', icon: 'pause' };
    case 'Errored':
      return { word: 'Errored', tone: 'bad', icon: 'warn' };
    case 'AwaitingConsent':
      return { word: 'Awaiting consent', tone: 'warn', icon: 'clock' };
    // A state that this page does not know yet is shown as it is.
    default:
      return { word: status, tone: 'plain', icon: 'clock' };
  }
}

export const statusOptions: readonly { value: EndpointStatus | ''; text: string }[] = [
  { value: '', text: 'Any status' },
  { value: 'Active', text: 'Active' },
  { value: 'Paused', text: 'Paused' },
  { value: 'Errored', text: 'Errored' },
];

/** What it means that an endpoint is not active, and what to do. `null` for an active one. */
export function statusText(endpoint: Pick<Endpoint, 'status' | 'statusReason'>): string | null {
  const reason = endpoint.statusReason === null || endpoint.statusReason === '' ? '' : ` ${sentence(endpoint.statusReason)}`;
  switch (endpoint.status) {
    case 'Active':
      return null;
    case 'Paused':
      return `Nothing is sent while it is paused. Events wait, and are sent when it is resumed.${reason}`;
    case 'Errored':
      return `Too many attempts failed, so nothing is sent any more. Events are kept.${reason}`;
    case 'AwaitingConsent':
      return `The receiver has not agreed yet.${reason}`;
    default:
      return reason.trim() || null;
  }
}

/** Until when what waits for an endpoint is not sent; `null` where it is. */
export function heldUntil({ status }: Pick<Endpoint, 'status'>): string | null {
  switch (status) {
    case 'Active':
      return null;
    case 'Paused':
      return 'until the endpoint is resumed';
    case 'Errored':
      return 'until the endpoint is recovered';
    default:
      return 'until the endpoint is active';
  }
}

/** Where a delivery stands, given whether those that wait are held. */
export function deliveryStanding(delivery: Pick<DeliveryRecord, 'state' | 'attempts'>, held: boolean): ReturnType<typeof standingOf> {
  return held && delivery.state === 'waiting' ? { word: 'Held', tone: 'warn', icon: 'clock' } : standingOf(delivery);
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** How the last attempt ended, for a line in a list. */
export function lastText({ lastOutcome, lastResponseCode, attempts }: Pick<DeliveryRecord, 'lastOutcome' | 'lastResponseCode' | 'attempts'>): string {
  if (attempts === 0 || lastOutcome === null) return 'No attempt yet';
  return outcomeText({ outcome: lastOutcome, ...(lastResponseCode === null ? {} : { status: lastResponseCode }) });
}

const jobNames: Record<JobKind, string> = {
  resend: 'Resending',
  recover: 'Recovering',
  replay: 'Replaying what was missed',
  erase: 'Erasing',
  scenario: 'Playing a scenario',
};
const jobDone: Record<JobKind, (count: number) => string> = {
  resend: (count) => `${counted(count, 'delivery', 'deliveries')} sent again`,
  recover: (count) => (count === 0 ? 'Nothing had been given up' : `${counted(count, 'delivery', 'deliveries')} recovered`),
  replay: (count) => (count === 0 ? 'Nothing was missed' : `${counted(count, 'event')} replayed`),
  erase: (count) => `${counted(count, 'record')} erased`,
  scenario: (count) => `Scenario played: ${counted(count, 'event')}`,
};

/** A job in a few words: what it does, or what came of it. */
export function jobText(job: Job): string {
  switch (job.status) {
    case 'running':
      return `${jobNames[job.kind]}: ${countText(job.done)}${job.total === null ? '' : ` of ${countText(job.total)}`}`;
    case 'done':
      return jobDone[job.kind](job.sent ?? job.done);
    case 'failed':
      return `${jobNames[job.kind]} failed${job.error ? `: ${job.error}` : ''}`;
    case 'cancelled':
      return `${jobNames[job.kind]} was cancelled after ${countText(job.done)}`;
  }
}

/** Parts of an attempt's time, in the order in which they pass. */
export const phases = [
  { key: 'dnsUs', name: 'Resolve', tone: 'one' },
  { key: 'connectUs', name: 'Connect', tone: 'two' },
  { key: 'tlsUs', name: 'TLS', tone: 'three' },
  { key: 'waitUs', name: 'Answer', tone: 'good' },
] as const;

/** What a step of a handshake is called: those of ours have short names on the wire. */
export function stepText({ name }: Pick<HandshakeStep, 'name'>): string {
  switch (name) {
    case 'address':
      return 'Look up the address';
    case 'request':
      return 'Ask the endpoint';
    case 'consent':
      return 'Read its answer';
    default:
      return name;
  }
}

/** What a bin is called; one without a name by the end of its number, which is what differs. */
export function binName({ name, id }: Pick<Bin, 'name' | 'id'>): string {
  return name === '' ? `Bin ${id.slice(-6)}` : name;
}

/** Path and query of a request to a bin, as far as they go beyond the bin's own. */
export function targetOf({ path, query }: Pick<BinRequest, 'path' | 'query'>): string {
  return `${path === '/' ? '' : path}${query === '' ? '' : `?${query}`}`;
}
