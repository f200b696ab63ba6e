// What the API says about incoming webhooks, their requests, and bins, in its own words.

export interface Webhook {
  id: string;
  creatorId: string;
  groupIds: string[];
  creationTime: string;
  lastModifiedTime: string;
  uri: string;
  status: 'Active' | 'Suspended' | 'Deleted';
}

/** One call to an incoming webhook: what came, and what we answered. */
export interface HookRequest {
  id: string;
  webhookId: string;
  receivedAt: string;
  method: string;
  contentType: string | null;
  remoteAddress: string;
  headers: { name: string; value: string }[];
  /** As much of it as is kept. */
  body: string;
  bodyEncoding: string;
  /** Its size as it came. */
  bodyBytes: number;
  answer: { status: number; body: string };
  findings: { pointer: string; warning: string }[];
  postId: string | null;
}

export interface Origin {
  request: HookRequest | null;
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
