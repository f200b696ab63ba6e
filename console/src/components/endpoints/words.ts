// What pages say about where an endpoint stands. Pure.

import type { Endpoint, EndpointStatus, HandshakeStep } from '../../api/endpoints/wire';

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

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

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
