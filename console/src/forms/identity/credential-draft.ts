// A new credential as its form holds it. Converted once, when it is made. Pure.

import type { CredentialKind, NewCredential } from '../../api/identity/wire';
import { inOrder } from '../../components/identity/permissions';
import { DAY_MS, timeOf } from '../../util/time';

export interface CredentialDraft {
  kind: CredentialKind;
  name: string;
  /** Empty for no app, or for a JWT credential for any. */
  clientId: string;
  /** Of a personal access token; a JWT credential gets what its app may do. */
  permissions: string[];
  /** One of `expiries`. */
  expiry: string;
  /** A day, as a date control holds it; for an end of one's own choice. */
  day: string;
  personId: string;
}

export type CredentialField = 'name' | 'clientId' | 'permissions' | 'day';
export type CredentialFaults = Partial<Record<CredentialField, string>>;

/** The controls of the form, from the top down. */
export const credentialFields: readonly CredentialField[] = ['name', 'clientId', 'permissions', 'day'];

export const expiries: readonly { value: string; text: string }[] = [
  { value: '7', text: 'in 7 days' },
  { value: '30', text: 'in 30 days' },
  { value: '90', text: 'in 90 days' },
  { value: '365', text: 'in a year' },
  { value: 'day', text: 'on a day…' },
  { value: 'never', text: 'never' },
];

export function emptyDraft(personId: string): CredentialDraft {
  return { kind: 'PersonalAccessToken', name: '', clientId: '', permissions: [], expiry: '90', day: '', personId };
}

/** When it ends: a number of days from now, the end of a chosen day in the viewer's zone, or never. */
function endOf({ expiry, day }: CredentialDraft, now: Date): Date | null {
  if (expiry === 'never') return null;
  return expiry === 'day' ? timeOf(`${day}T23:59:59`) : new Date(now.getTime() + Number(expiry) * DAY_MS);
}

/** What to ask for, and what is wrong with it. `self` is who asks. */
export function requestOf(draft: CredentialDraft, self: string, now: Date): { request: NewCredential; faults: CredentialFaults } {
  const faults: CredentialFaults = {};
  const name = draft.name.trim();
  if (name === '') faults.name = 'Say what it is for, so that you know it later';
  const chooses = draft.kind === 'PersonalAccessToken';
  if (chooses && draft.permissions.length === 0) faults.permissions = 'Choose at least one permission';
  const end = endOf(draft, now);
  if (draft.expiry === 'day' && (end === null || end <= now)) faults.day = 'Choose a day to come';
  const request: NewCredential = {
    kind: draft.kind,
    name,
    ...(draft.clientId === '' ? {} : { clientId: draft.clientId }),
    ...(chooses ? { permissions: inOrder(draft.permissions) } : {}),
    ...(end === null ? {} : { expirationTime: end.toISOString() }),
    ...(draft.personId === self ? {} : { personId: draft.personId }),
  };
  return { request, faults };
}

/** The control that a parameter of the API belongs to. */
export function fieldOf(parameter: string): CredentialField | null {
  const [first = ''] = parameter.split(/[.[/]/);
  return first === 'expirationTime' || first === 'expiresIn' ? 'day' : (credentialFields.find((field) => field === first) ?? null);
}
