// What became of a delivery and of each attempt, in words for people. Codes come from the API; one that
// is new to this page is shown as it is.

import type { Attempt, Delivery, DeliveryRecord, Job, JobKind } from '../../api/delivery/wire';
import { countText, counted } from '../../util/numbers';
import { MINUTE_MS, SECOND_MS, timeOf } from '../../util/time';

export type Tone = 'plain' | 'good' | 'warn' | 'bad';

export interface Standing {
  word: string;
  tone: Tone;
  icon: 'check' | 'clock' | 'close';
}

/** Where a delivery stands: one word, one colour, one shape. */
export function standingOf(delivery: Pick<Delivery, 'state' | 'attempts'>): Standing {
  switch (delivery.state) {
    case 'delivered':
      return { word: 'Delivered', tone: 'good', icon: 'check' };
    case 'abandoned':
      return { word: 'Given up', tone: 'bad', icon: 'close' };
    case 'waiting':
      return { word: delivery.attempts === 0 ? 'On its way' : 'Retrying', tone: delivery.attempts === 0 ? 'plain' : 'warn', icon: 'clock' };
  }
}

/** Why a delivery was given up. */
export function reasonText(reason: string | undefined): string | null {
  switch (reason) {
    case undefined:
      return null;
    case 'attempts-exhausted':
      return 'No attempt was accepted, and there are no more.';
    case 'too-old':
      return 'The event became too old to try again.';
    case 'gone':
      return 'The receiver answered 410: it does not want to hear again.';
    case 'subscription-ended':
      return 'The subscription ended before it was delivered.';
    default:
      return reason;
  }
}

/** What became of one attempt. */
export function outcomeText({ outcome, status }: Pick<Attempt, 'outcome' | 'status'>): string {
  switch (outcome) {
    case 'accepted':
      return 'Accepted';
    case 'refused':
      if (status !== undefined && status >= 300 && status < 400) return 'Refused: redirects are not followed';
      if (status === 410) return 'Refused for good';
      return status === 429 || status === 503 ? 'Asked to come back later' : 'Refused';
    case 'forbidden':
      return 'Not called: this address is not allowed';
    case 'dns':
      return 'The name could not be resolved';
    case 'connect-failed':
      return 'No connection';
    case 'tls':
      return 'No secure connection';
    case 'timed-out':
      return 'No answer in time';
    case 'broken':
      return 'The connection broke before an answer';
    case 'invalid-answer':
      return 'The answer was not valid HTTP';
    default:
      return outcome;
  }
}

export function attemptsText(attempts: number): string {
  if (attempts === 0) return 'no attempt yet';
  return attempts === 1 ? '1 attempt' : `${attempts} attempts`;
}

/** What became of all of them: `2 delivered, 1 given up`. */
export function tallyText(deliveries: readonly Pick<Delivery, 'state'>[]): string {
  const count = (state: Delivery['state']): number => deliveries.filter((delivery) => delivery.state === state).length;
  const parts: [number, string][] = [
    [count('delivered'), 'delivered'],
    [count('waiting'), 'on the way'],
    [count('abandoned'), 'given up'],
  ];
  return parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`).join(', ');
}

const wholeFormat = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fineFormat = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Microseconds as milliseconds: `0.4 ms`, `12 ms`, `3,001 ms`. */
export function millisText(micros: number): string {
  const millis = micros / 1_000;
  return `${(millis < 9.95 ? fineFormat : wholeFormat).format(millis)} ms`;
}

/** An attempt that is due takes at least this long to be told of. */
const LOOK_AGAIN_MIN_MS = SECOND_MS;
/** Changes from elsewhere, such as the end of a subscription, are seen this late at most. */
export const LOOK_AGAIN_MAX_MS = MINUTE_MS;

/** When to ask again what became of deliveries, in milliseconds; `null` when nothing can change any more. */
export function lookAgainMs(deliveries: readonly Pick<Delivery, 'state' | 'dueTime'>[], now: Date): number | null {
  const waits = deliveries
    .filter(({ state }) => state === 'waiting')
    .map(({ dueTime }) => (timeOf(dueTime)?.getTime() ?? 0) - now.getTime() + LOOK_AGAIN_MIN_MS);
  if (waits.length === 0) return null;
  return Math.min(Math.max(Math.min(...waits), LOOK_AGAIN_MIN_MS), LOOK_AGAIN_MAX_MS);
}

/** Where a delivery stands, given whether those that wait are held. */
export function deliveryStanding(delivery: Pick<DeliveryRecord, 'state' | 'attempts'>, held: boolean): Standing {
  return held && delivery.state === 'waiting' ? { word: 'Held', tone: 'warn', icon: 'clock' } : standingOf(delivery);
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
