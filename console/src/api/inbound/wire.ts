// What the API says about incoming webhooks, their requests, and bins, in its own words.

import type { Narrowed, Schema } from '../kernel/wire';

export type Webhook = Schema<'Webhook'>;

/** One call to an incoming webhook: what came, and what we answered. */
export type HookRequest = Schema<'HookRequest'>;

export type Origin = Schema<'PostOrigin'>;

/** What a bin answers. Of those that are given one after the other, each may leave out what it does not change. */
export type BinReply = Narrowed<
  Schema<'BinAnswer'>,
  {
    sequence?: (Pick<Schema<'BinReply'>, 'status'> & Partial<Schema<'BinReply'>>)[];
    repeat?: Schema<'BinAnswer'>['repeat'];
    handshake?: boolean;
  }
>;

export type Bin = Narrowed<Schema<'Bin'>, { answer: BinReply }>;

export type BinRequest = Narrowed<Omit<Schema<'BinRequest'>, 'number' | 'turn'>, { signature: Schema<'BinRequestSignature'> | null }>;
