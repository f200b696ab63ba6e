// What the API says about people, sessions, apps and credentials, in its own words.

import type { Narrowed, Schema } from '../kernel/wire';

/** Somebody as chats name them; integrations and the erased have less than others. */
export type Person = Narrowed<Pick<Schema<'Person'>, 'id' | 'firstName' | 'lastName' | 'email'>, { firstName: string | null; lastName: string | null; email: string | null }>;

export type Me = Schema<'Me'>;

export type Session = Narrowed<Schema<'ConsoleSession'>, { person: { id: string } }>;

export type AppKind = Schema<'KindOfApp'>;

/** One of an app's client secrets; the secret itself was shown when it was made. */
export type ClientSecret = Schema<'AppSecret'>;

/** A JSON Web Key; what it holds depends on its type. */
export type PublicKey = Record<string, unknown>;

/** An app. Its secrets come oldest first; it may have permissions that this page does not know yet. */
export type App = Narrowed<Schema<'App'>, { permissions: string[]; publicKeys: { keys: PublicKey[] } }>;

/** What a person chooses about an app. */
export type AppSettings = Pick<App, 'name' | 'kind' | 'permissions' | 'redirectUris' | 'publicKeys' | 'outboundUrl'>;

export type CredentialKind = Schema<'KindOfCredential'>;

export type Credential = Schema<'Credential'>;

/** A credential to be made: one's own, unless it says whose. */
export interface NewCredential {
  kind: CredentialKind;
  name: string;
  clientId?: string | undefined;
  permissions?: string[] | undefined;
  personId?: string | undefined;
  expirationTime?: string | undefined;
}
