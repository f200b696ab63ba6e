// What the API says about webhook endpoints, in its own words. Times are RFC 3339; durations name their unit.

import type { Narrowed, Schema } from '../kernel/wire';

export type EndpointStatus = 'Active' | 'Paused' | 'Errored' | 'AwaitingConsent';
export type Handshake = Schema<'HandshakeName'>;
export type PayloadFormat = Schema<'PayloadFormatName'>;

export type Authorization =
  | { type: 'none' }
  | { type: 'basic'; username: string; password: string }
  | { type: 'bearer'; token: string }
  | { type: 'oauth2'; tokenUrl: string; clientId: string; clientSecret: string; scope?: string | null };

export type Schedule = { kind: 'list'; delaysMs: number[] } | { kind: 'exponential'; firstMs: number; longestMs: number };

export type RetryPolicy = Narrowed<Schema<'EndpointRetries'>, { schedule: Schedule }>;

export type RateLimit = Schema<'RateLimit'>;

/** What a person chooses about an endpoint. The union of ways to sign in, and of schedules, says what belongs together. */
export type EndpointSettings = Narrowed<Omit<Schema<'EndpointSettings'>, 'secret'>, { authorization: Authorization; retryPolicy: RetryPolicy }>;

/** The last day of an endpoint, for its line in the list. */
export type DayStats = Narrowed<Schema<'EndpointDay'>, { hours: Omit<Schema<'EndpointHour'>, 'time'>[] }>;

export type SigningSecret = Schema<'EndpointSecret'>;

export type Endpoint = Narrowed<Omit<Schema<'Endpoint'>, keyof EndpointSettings | 'handshakeResult' | 'ownerId' | 'version'>, { status: EndpointStatus; stats?: DayStats }> & EndpointSettings;

export type HandshakeStep = Schema<'HandshakeStep'>;

export interface CreatedEndpoint {
  id: string;
  url: string;
  /** None where no handshake was asked for. */
  steps: HandshakeStep[];
}

export type StatsBucket = Omit<Schema<'StatisticsBucket'>, 'attempts'>;

export interface EndpointStats {
  buckets: StatsBucket[];
  totals: Omit<StatsBucket, 'time'>;
}
