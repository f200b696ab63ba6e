// What the API says about people and sessions, in its own words.

import type { Narrowed, Schema } from '../kernel/wire';

/** Somebody as chats name them; integrations and the erased have less than others. */
export type Person = Narrowed<Pick<Schema<'Person'>, 'id' | 'firstName' | 'lastName' | 'email'>, { firstName: string | null; lastName: string | null; email: string | null }>;

export type Me = Schema<'Me'>;

export type Session = Narrowed<Schema<'ConsoleSession'>, { person: { id: string } }>;
