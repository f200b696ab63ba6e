// An app as its form holds it: texts and ticks. Converted once, when it is saved. Pure.

import type { AppPatch } from '../../api/identity/apps';
import type { AppKind, AppSettings } from '../../api/identity/wire';
import { inOrder } from '../../components/identity/permissions';
import { keysOf, keysText } from './key-set';

export interface AppDraft {
  name: string;
  kind: AppKind;
  permissions: string[];
  /** One on each line. */
  redirectUris: string;
  publicKeys: string;
  outboundUrl: string;
}

export type AppField = keyof AppDraft;
export type AppFaults = Partial<Record<AppField, string>>;

/** The controls of the form, from the top down. */
export const appFields: readonly AppField[] = ['name', 'kind', 'permissions', 'redirectUris', 'publicKeys', 'outboundUrl'];

export function emptyApp(): AppSettings {
  return { name: '', kind: 'Server', permissions: [], redirectUris: [], publicKeys: { keys: [] }, outboundUrl: null };
}

export function draftOf(app: AppSettings): AppDraft {
  return {
    name: app.name,
    kind: app.kind,
    permissions: inOrder(app.permissions),
    redirectUris: app.redirectUris.join('\n'),
    publicKeys: keysText(app.publicKeys.keys),
    outboundUrl: app.outboundUrl ?? '',
  };
}

/** The settings that a draft stands for, and what is wrong with it. */
export function settingsOf(draft: AppDraft): { settings: AppSettings; faults: AppFaults } {
  const faults: AppFaults = {};
  const name = draft.name.trim();
  if (name === '') faults.name = 'Say what the app is called';
  const redirectUris = draft.redirectUris.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const complaint = redirectUris.map(redirectComplaint).find((found) => found !== null);
  if (complaint !== undefined) faults.redirectUris = complaint;
  else if (draft.kind === 'Browser' && redirectUris.length === 0) faults.redirectUris = 'A browser app needs an address that people come back to';
  const keys = keysOf(draft.publicKeys);
  if (!keys.ok) faults.publicKeys = keys.message;
  const outboundUrl = draft.outboundUrl.trim();
  if (outboundUrl !== '' && (!URL.canParse(outboundUrl) || !/^https?:\/\//i.test(outboundUrl))) faults.outboundUrl = 'This is not a web address. It begins with https://';
  return {
    settings: {
      name,
      kind: draft.kind,
      permissions: inOrder(draft.permissions),
      redirectUris,
      publicKeys: { keys: keys.ok ? keys.keys : [] },
      outboundUrl: outboundUrl === '' ? null : outboundUrl,
    },
    faults,
  };
}

/** Why people cannot be sent back to `uri`; `null` when they can (RFC 8252 and RFC 9700). */
export function redirectComplaint(uri: string): string | null {
  if (!URL.canParse(uri)) return `“${uri}” is not an address. One begins with https://, or with a scheme of the app’s own`;
  const { protocol, hostname, hash } = new URL(uri);
  if (hash !== '' || uri.includes('#')) return `“${uri}” has a fragment, which would be lost on the way`;
  const own = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && own) || (protocol !== 'http:' && protocol.includes('.'))) return null;
  return protocol === 'http:'
    ? `“${uri}” must use https, unless it leads to the person’s own machine`
    : `The scheme of “${uri}” must have a dot, such as com.example.app:/signed-in`;
}

/** The members that differ, as the server merges them. What an app is never changes. */
export function changesBetween(before: AppSettings, after: AppSettings): AppPatch {
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  const ordered: AppSettings = { ...before, permissions: inOrder(before.permissions) };
  const changed = Object.entries(after).filter(([name, value]) => name !== 'kind' && !same(Reflect.get(ordered, name), value));
  return Object.fromEntries(changed);
}

/** The control that a parameter of the API belongs to: `publicKeys.keys[0].n` is among the keys. */
export function fieldOf(parameter: string): AppField | null {
  const [first = ''] = parameter.split(/[.[/]/);
  return appFields.find((field) => field === first) ?? null;
}
