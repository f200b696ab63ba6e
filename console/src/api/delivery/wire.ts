// What the API says about deliveries, their attempts, and jobs, in its own words. Durations name their unit.

import type { YardEvent } from '../events/wire';
import type { Narrowed, Schema } from '../kernel/wire';

export type DeliveryState = 'waiting' | 'delivered' | 'abandoned';

/** One event on its way to one subscription. */
export type Delivery = Narrowed<
  Pick<Schema<'Delivery'>, 'id' | 'subscriptionId' | 'eventId' | 'eventFilter' | 'dueTime' | 'finishTime' | 'reason' | 'attempts' | 'possibleRepeat' | 'creationTime'>,
  { state: DeliveryState }
>;

/** One try of a delivery. */
export type Attempt = Omit<Schema<'Attempt'>, 'request' | 'response' | 'timings'>;

export type DeliveryDetail = Delivery & { event: YardEvent | null; attemptLog: Attempt[] };

/** Where a post went, as far as the reader may see it. */
export interface Fate {
  event: YardEvent | null;
  records: Delivery[];
}

/** A delivery as the pages of endpoints show it: what is left out on the wire is `null`. */
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

export type Timings = Schema<'AttemptTimings'>;

/** An attempt as the pages of endpoints show it. */
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

export type Job = Narrowed<Omit<Schema<'Job'>, 'sent' | 'endpointId' | 'finishTime' | 'error'>, { kind: JobKind; status: 'running' | 'done' | 'failed' | 'cancelled' }> &
  Partial<Pick<Schema<'Job'>, 'sent' | 'endpointId' | 'finishTime' | 'error'>>;
