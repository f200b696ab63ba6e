// What the API says about people, sessions, apps and credentials, in its own words.

import type { Narrowed, Schema } from '../kernel/wire';

/** Somebody as chats name them; integrations and the erased have less than others. */
export type Person = Narrowed<Pick<Schema<'Person'>, 'id' | 'firstName' | 'lastName' | 'email'>, { firstName: string | null; lastName: string | null; email: string | null }>;

export type Me = Schema<'Me'> & {
  /** Whether they may look at the server itself. */
  operator?: boolean;
};

export type Session = Narrowed<Schema<'ConsoleSession'>, { person: { id: string } }>;

export type AppKind = 'Server' | 'Browser' | 'Bot';

/** One of an app's client secrets; the secret itself was shown when it was made. */
export interface ClientSecret {
  id: string;
  /** Its last characters. */
  hint: string;
  creationTime: string;
  lastUsedTime: string | null;
}

/** A JSON Web Key; what it holds depends on its type. */
export type PublicKey = Record<string, unknown>;

/** What a person chooses about an app. */
export interface AppSettings {
  name: string;
  kind: AppKind;
  permissions: string[];
  redirectUris: string[];
  publicKeys: { keys: PublicKey[] };
  outboundUrl: string | null;
}

export interface App extends AppSettings {
  clientId: string;
  /** Oldest first. */
  secrets: ClientSecret[];
  outboundSecretTime: string | null;
  verificationTokenTime: string | null;
  creatorId: string | null;
  creationTime: string;
  lastModifiedTime: string;
  version: number;
  /** Part of Hookyard: nobody's to change. */
  builtIn: boolean;
  usage: { subscriptions: number; endpoints: number; sessions: number; credentials: number };
}

export type CredentialKind = 'Jwt' | 'PersonalAccessToken';

export interface Credential {
  id: string;
  kind: CredentialKind;
  name: string;
  personId: string;
  /** `null` for any app of the account, or for none. */
  clientId: string | null;
  /** `null` for a JWT credential: it gets what its app may do. */
  permissions: string[] | null;
  /** Its last characters. */
  hint: string;
  creationTime: string;
  expirationTime: string | null;
  lastUsedTime: string | null;
  revokedTime: string | null;
}

export interface NewCredential {
  kind: CredentialKind;
  name: string;
  clientId?: string | undefined;
  permissions?: string[] | undefined;
  /** Whose it is; one's own by default. */
  personId?: string | undefined;
  expirationTime?: string | undefined;
}
