// What the API says about deliveries, their attempts, and jobs, in its own words. Durations name their unit.

import type { YardEvent } from '../events/wire';

/** One event on its way to one subscription. */
export interface Delivery {
  id: string;
  subscriptionId: string;
  eventId: string;
  eventFilter: string;
  state: 'waiting' | 'delivered' | 'abandoned';
  /** When the next attempt is due; waiting deliveries only. */
  dueTime?: string;
  finishTime?: string;
  /** Why it was given up; abandoned deliveries only. */
  reason?: string;
  /** Attempts made so far. */
  attempts: number;
  /** The receiver may have seen it more than once. */
  possibleRepeat: boolean;
  creationTime: string;
}

/** One try of a delivery. */
export interface Attempt {
  /** The first is 1. */
  number: number;
  startTime: string;
  /** Microseconds; zero on a kept connection. */
  connectMicros: number;
  /** Microseconds from the start to the end of the answer. */
  totalMicros: number;
  /** `accepted`, `refused`, or why no answer came. */
  outcome: string;
  status?: number;
  retryAfterSeconds?: number;
  /** The address that was called. */
  peer?: string;
  /** Beginning of an answer that was not accepted. */
  answerExcerpt?: string;
}

export interface DeliveryDetail extends Delivery {
  event: YardEvent | null;
  attemptLog: Attempt[];
}

/** Where a post went, as far as the reader may see it. */
export interface Fate {
  event: YardEvent | null;
  records: Delivery[];
}

export type DeliveryState = 'waiting' | 'delivered' | 'abandoned';

export interface DeliveryRecord {
  id: string;
  endpointId: string;
  eventId: string;
  eventType: string;
  state: DeliveryState;
  reason?: string | undefined;
  attempts: number;
  lastResponseCode: number | null;
  lastOutcome: string | null;
  nextAttemptTime: string | null;
  finishTime?: string | undefined;
  possibleRepeat: boolean;
  creationTime: string;
}

export interface HttpSide {
  headers: [string, string][];
  body: string;
  /** The body is no text, and is told as base64. */
  binary: boolean;
  truncated: boolean;
}

export interface Timings {
  dnsUs: number;
  connectUs: number;
  tlsUs: number;
  waitUs: number;
  totalUs: number;
}

export interface AttemptRecord {
  number: number;
  startTime: string;
  outcome: string;
  /** Why nothing could be sent, where more is known than the outcome. */
  detail: string | null;
  responseCode: number | null;
  request: (HttpSide & { method: string; url: string; batchedWith: number }) | null;
  response: HttpSide | null;
  address: string | null;
  timings: Timings;
}

export interface DeliveryStory extends DeliveryRecord {
  event: { id: string; type: string; timestamp: string; data: unknown } | null;
  attemptLog: AttemptRecord[];
}

/** What a list of deliveries is narrowed to; also what a job resends. */
export interface DeliveryQuery {
  status?: DeliveryState | undefined;
  eventType?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  responseCode?: string | undefined;
}

export type JobKind = 'resend' | 'recover' | 'replay' | 'erase' | 'scenario';

export interface Job {
  id: string;
  kind: JobKind;
  status: 'running' | 'done' | 'failed' | 'cancelled';
  /** Not known before the work was counted. */
  total: number | null;
  done: number;
  /** Deliveries that were sent for it. */
  sent?: number | null;
  creationTime: string;
  finishTime?: string | null;
  endpointId?: string | null;
  error?: string | null;
}
