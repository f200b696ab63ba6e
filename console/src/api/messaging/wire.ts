// What the API says about chats, posts and what is attached to them, in its own words.
// Values from the network are data: optional until read.

import type { Narrowed, Schema } from '../kernel/wire';

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

export type Mention = Schema<'Mention'>;

export type PostType = Schema<'Post'>['type'];

/** A post; what it does not have is `null`. */
export type Post = Narrowed<
  Omit<Schema<'Post'>, 'parentPostId' | 'threadId'>,
  {
    text: string | null;
    addedPersonIds: string[] | null;
    removedPersonIds?: string[] | null;
    attachments: Attachment[] | null;
    activity: string | null;
    title: string | null;
    iconUri: string | null;
    iconEmoji: string | null;
    mentions: Mention[] | null;
  }
>;

export interface PostsPage {
  records: Post[];
  navigation: { prevPageToken?: string; nextPageToken?: string };
}

export type ChatType = Schema<'ChatKindName'>;

export type Chat = Narrowed<Schema<'Chat'>, { name?: string | null; description?: string | null; members?: { id: string }[] | null }>;

export type PostEvent =
  | (Post & { eventType: 'PostAdded' | 'PostChanged' })
  | { eventType: 'PostRemoved'; id: string; groupId: string };

export interface ChatEvent {
  id: string;
  eventType: string;
}
