// What pages say about apps and credentials. Pure.

import type { App, AppKind, Credential, CredentialKind } from '../../api/identity/wire';
import { counted } from '../../util/numbers';
import { DAY_MS, timeOf, untilTime } from '../../util/time';

export const appKinds: readonly { value: AppKind; name: string; text: string }[] = [
  { value: 'Server', name: 'Server', text: 'A program on machines of yours. It keeps a secret, and acts for the person whose credential it has.' },
  { value: 'Browser', name: 'Browser or mobile', text: 'A program in other people’s hands, which cannot keep a secret. People sign in to it with PKCE.' },
  { value: 'Bot', name: 'Bot', text: 'A program that acts in its own name. It keeps a secret.' },
];

export function kindText(kind: AppKind): string {
  return appKinds.find(({ value }) => value === kind)?.name ?? kind;
}

/** Whether an app of a kind proves who it is by a secret. */
export function keepsSecrets(kind: AppKind): boolean {
  return kind !== 'Browser';
}

export const credentialKinds: readonly { value: CredentialKind; name: string; text: string }[] = [
  { value: 'PersonalAccessToken', name: 'Personal access token', text: 'A token that scripts send as it is, with each call. It needs no app and is never renewed.' },
  { value: 'Jwt', name: 'JWT credential', text: 'What an app trades for a session, the way RingCentral’s clients do. It is of no use without the app.' },
];

export function credentialKindText(kind: CredentialKind): string {
  return credentialKinds.find(({ value }) => value === kind)?.name ?? kind;
}

export interface CredentialStanding {
  word: string;
  tone: 'plain' | 'good' | 'warn' | 'bad';
  icon: 'check' | 'close' | 'clock';
}

/** An end that is this near is worth a word. */
const SOON_MS = 7 * DAY_MS;

export function isLive({ revokedTime, expirationTime }: Pick<Credential, 'revokedTime' | 'expirationTime'>, now: Date): boolean {
  const end = timeOf(expirationTime);
  return revokedTime === null && (end === null || end > now);
}

/** Where a credential stands: one word, one colour, one shape. */
export function credentialStanding(credential: Pick<Credential, 'revokedTime' | 'expirationTime'>, now: Date): CredentialStanding {
  if (credential.revokedTime !== null) return { word: 'Revoked', tone: 'plain', icon: 'close' };
  const end = timeOf(credential.expirationTime);
  if (end === null) return { word: 'Active', tone: 'good', icon: 'check' };
  if (end <= now) return { word: 'Expired', tone: 'plain', icon: 'clock' };
  return end.getTime() - now.getTime() < SOON_MS ? { word: `Ends ${untilTime(end, now)}`, tone: 'warn', icon: 'clock' } : { word: 'Active', tone: 'good', icon: 'check' };
}

/** What ends with an app, as the parts of a list. */
export function endingWith({ usage }: Pick<App, 'usage'>): string[] {
  const { sessions, credentials, subscriptions, endpoints } = usage;
  const parts: [number, string][] = [
    [sessions, `${counted(sessions, 'session')}: whoever uses it is signed out at once`],
    [credentials, `${counted(credentials, 'credential')}: they can no longer be traded or used`],
    [subscriptions, `${counted(subscriptions, 'subscription')}: nothing is sent to their receivers any more`],
    [endpoints, `${counted(endpoints, 'endpoint')} among them`],
  ];
  return parts.filter(([count]) => count > 0).map(([, text]) => text);
}
