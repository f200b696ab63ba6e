// What the API sends and takes, in its own words. Values from the network are data: optional until read.

export type FieldStyle = 'Short' | 'Long';

export interface CardAttachment {
  type: 'Card';
  id: string;
  fallback?: string | null;
  color?: string | null;
  intro?: string | null;
  author?: { name?: string | null; uri?: string | null; iconUri?: string | null } | null;
  title?: string | null;
  titleUri?: string | null;
  text?: string | null;
  imageUri?: string | null;
  thumbnailUri?: string | null;
  fields?: { title: string; value: string; style?: FieldStyle }[] | null;
  footnote?: { text?: string | null; iconUri?: string | null; time?: string | null } | null;
}

export interface EventAttachment {
  type: 'Event';
  id: string;
  title: string;
  startTime: string;
  endTime: string;
  allDay?: boolean;
  recurrence?: string | null;
  endingCondition?: string | null;
  endingAfter?: number | null;
  endingOn?: string | null;
  color?: string | null;
  location?: string | null;
  description?: string | null;
}

export interface NoteAttachment {
  type: 'Note';
  id: string;
  title: string;
  text?: string | null;
}

/** Microsoft's card: whatever else it holds is read by the renderer only. */
export interface AdaptiveCardAttachment {
  type: 'AdaptiveCard';
  id: string;
  fallbackText?: unknown;
  [member: string]: unknown;
}

export type Attachment = CardAttachment | EventAttachment | NoteAttachment | AdaptiveCardAttachment;

export interface Mention {
  id: string;
  type: string;
  name: string;
}

export type PostType = 'TextMessage' | 'PersonJoined' | 'PersonsAdded' | 'PersonLeft' | 'PersonsRemoved';

export interface Post {
  id: string;
  groupId: string;
  type: PostType;
  text: string | null;
  creatorId: string;
  addedPersonIds: string[] | null;
  removedPersonIds?: string[] | null;
  creationTime: string;
  lastModifiedTime: string;
  attachments: Attachment[] | null;
  activity: string | null;
  title: string | null;
  iconUri: string | null;
  iconEmoji: string | null;
  mentions: Mention[] | null;
}

export interface PostsPage {
  records: Post[];
  navigation: { prevPageToken?: string; nextPageToken?: string };
}

export type ChatType = 'Everyone' | 'Team' | 'Group' | 'Direct' | 'Personal';

export interface Chat {
  id: string;
  type: ChatType;
  public?: boolean;
  name?: string | null;
  description?: string | null;
  status?: 'Active' | 'Archived';
  creationTime: string;
  lastModifiedTime: string;
  members?: { id: string }[] | null;
}

export interface Person {
  id: string;
  firstName: string | null;
  lastName: string | null;
  email: string | null;
}

export interface Webhook {
  id: string;
  creatorId: string;
  groupIds: string[];
  creationTime: string;
  lastModifiedTime: string;
  uri: string;
  status: 'Active' | 'Suspended' | 'Deleted';
}

export interface Me {
  person: { id: string; firstName: string; lastName: string; name: string; email: string | null; admin: boolean };
  account: { id: string; name: string };
  server: { version: string; publicUrl: string; development: boolean };
}

export interface Session {
  access_token: string;
  expires_in: number;
  person: { id: string };
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

/** What subscribers are told of. */
export interface YardEvent {
  id: string;
  eventType: string;
  timestamp: string;
  chatId?: string;
  postId?: string;
  requestId?: string;
  body: unknown;
}

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

export type PostEvent =
  | (Post & { eventType: 'PostAdded' | 'PostChanged' })
  | { eventType: 'PostRemoved'; id: string; groupId: string };

export interface ChatEvent {
  id: string;
  eventType: string;
}
