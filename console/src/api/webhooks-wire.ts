// What the API says about endpoints, event types, deliveries, jobs, scenarios and bins, in its own words.
// Times are RFC 3339; durations name their unit.

/** One page of a list, newest first. */
export interface Page<T> {
  records: T[];
  nextPageToken?: string | null;
}

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

export interface EventTypeInfo {
  name: string;
  description: string;
  /** Whether the account made it, rather than the product. */
  custom: boolean;
  deprecated: boolean;
  /** A body to try it with. */
  example: unknown;
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

export interface Scenario {
  name: string;
  description: string;
  steps: { eventType: string; description: string }[];
}

export interface BinReply {
  status: number;
  headers: Record<string, string>;
  body: string;
  delayMs: number;
  /** Given one after the other, in place of the one above; empty for none. */
  sequence?: { status: number; headers?: Record<string, string>; body?: string; delayMs?: number }[];
  /** What comes after the last of them: it again, or the first. */
  repeat?: 'last' | 'cycle';
  handshake?: boolean;
}

export interface Bin {
  id: string;
  name: string;
  url: string;
  answer: BinReply;
  creationTime: string;
  /** How many it holds. */
  requests: number;
}

export interface BinRequest {
  id: string;
  receivedTime: string;
  method: string;
  /** What follows the bin's own URL. */
  path: string;
  query: string;
  headers: [string, string][];
  body: string;
  bodyEncoding?: string | null;
  bodyBytes: number;
  truncated: boolean;
  remoteAddress: string;
  signature: { verified: boolean | null; endpointId: string | null } | null;
}
