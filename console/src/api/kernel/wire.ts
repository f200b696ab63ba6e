// What all calls of the API have in common, and what it says about the whole: the audit log, and the server.

import type { components } from '../generated';

/** What the server's description says of something that is told or asked, by its name there. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

/** The same, but where the description says less than is known: its members in place of those. */
export type Narrowed<T, Members> = Omit<T, keyof Members> & Members;

/** One page of a list, newest first. */
export interface Page<T> {
  records: T[];
  nextPageToken?: string | null;
}

/** A part of something, as forms send it. */
export type Some<T> = { [K in keyof T]?: T[K] | undefined };

/** Who did something. */
export interface Actor {
  kind: 'Person' | 'System' | 'Anonymous';
  personId: string | null;
  /** `null` also for somebody who was erased. */
  name: string | null;
  clientId: string | null;
  credentialId: string | null;
}

/** One row of the audit log. */
export interface AuditEntry {
  id: string;
  time: string;
  /** Such as `app.created`. */
  action: string;
  actor: Actor;
  target: { kind: string; id: string; name: string | null };
  remoteAddress: string | null;
  detail: Record<string, string>;
}

/** What the audit log is narrowed to. */
export interface AuditQuery {
  action?: string | undefined;
  actorId?: string | undefined;
  targetKind?: string | undefined;
  targetId?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  q?: string | undefined;
}

/** A part of the server that runs on its own. */
export interface ComponentStatus {
  name: string;
  state: string;
  since: string;
  restarts: number;
  lastError: string | null;
}

/** The server, as its operators see it. */
export interface ServerStatus {
  version: string;
  startTime: string;
  uptimeSeconds: number;
  store: {
    kind: string;
    bytes: number;
    logBytes: number;
    diskFreeBytes: number | null;
    schemaVersion: number;
    lastCommitTime: string | null;
    commits: number;
    queue: number;
  };
  lanes: { count: number; active: number; inFlight: number; window: number };
  backlog: { waiting: number; oldestTime: string | null };
  jobs: { running: number; waiting: number; failed: number };
  lifeCycle: Record<string, unknown>;
  retention: { lastRunTime: string | null; removed: number };
  components: ComponentStatus[];
  panics: number;
  lastErrors: { time: string; where: string; what: string }[];
}
