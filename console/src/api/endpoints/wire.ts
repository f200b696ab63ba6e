// What the API says about webhook endpoints, in its own words. Times are RFC 3339; durations name their unit.

export type EndpointStatus = 'Active' | 'Paused' | 'Errored' | 'AwaitingConsent';
export type Handshake = 'none' | 'echo' | 'options';
export type PayloadFormat = 'standard' | 'cloudevents' | 'cloudevents-binary' | 'ringcentral';

export type Authorization =
  | { type: 'none' }
  | { type: 'basic'; username: string; password: string }
  | { type: 'bearer'; token: string }
  | { type: 'oauth2'; tokenUrl: string; clientId: string; clientSecret: string; scope?: string | null };

export type Schedule = { kind: 'list'; delaysMs: number[] } | { kind: 'exponential'; firstMs: number; longestMs: number };

export interface RetryPolicy {
  schedule: Schedule;
  attemptsMax: number;
  ageMaxMs: number;
}

export interface RateLimit {
  count: number;
  perMs: number;
}

/** What a person chooses about an endpoint. */
export interface EndpointSettings {
  url: string;
  description: string;
  eventTypes: string[];
  contentFilter: unknown;
  headers: Record<string, string>;
  authorization: Authorization;
  verificationToken: string | null;
  handshake: Handshake;
  signing: 'standard' | 'none';
  payloadFormat: PayloadFormat;
  timeoutMs: number;
  retryPolicy: RetryPolicy;
  failureThreshold: number;
  batchingIntervalMinutes: number;
  batchMax: number;
  rateLimit: RateLimit | null;
  concurrency: number;
  ordered: boolean;
}

/** The last day of an endpoint, for its line in the list. */
export interface DayStats {
  events: number;
  /** From 0 to 1. */
  failureRate: number;
  hours: { delivered: number; failed: number }[];
}

export interface SigningSecret {
  id: string;
  creationTime: string;
  expiresTime: string | null;
}

export interface Endpoint extends EndpointSettings {
  id: string;
  status: EndpointStatus;
  statusReason: string | null;
  statusTime: string | null;
  failingSince: string | null;
  secrets: SigningSecret[];
  creationTime: string;
  lastModifiedTime: string;
  stats?: DayStats;
}

export interface HandshakeStep {
  name: string;
  ok: boolean;
  detail: string;
  tookMs: number;
}

export interface CreatedEndpoint {
  id: string;
  url: string;
  /** None where no handshake was asked for. */
  steps: HandshakeStep[];
}

export interface StatsBucket {
  time: string;
  delivered: number;
  failedAttempts: number;
  abandoned: number;
  attemptsByStatus: Record<string, number>;
  /** `null` where nothing was answered. */
  latencyMs: { p50: number; p90: number; p99: number } | null;
}

export interface EndpointStats {
  buckets: StatsBucket[];
  totals: Omit<StatsBucket, 'time'>;
}
