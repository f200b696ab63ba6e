// What the command line would be told to do the same, as arguments of `hookyard`. Pure.

import type { AppPatch, NewApp } from '../../api/identity/apps';
import type { NewCredential } from '../../api/identity/wire';
import { DAY_MS, timeOf } from '../../util/time';

/** A file for what is too long for a line. */
const KEYS_FILE = 'keys.json';

/** Flags for what is said of an app; what is not said is left out. */
function settingsFlags({ permissions, redirectUris, publicKeys, outboundUrl }: AppPatch): string[] {
  return [
    ...(permissions === undefined || permissions.length === 0 ? [] : ['--permissions', permissions.join(',')]),
    ...(redirectUris === undefined || redirectUris.length === 0 ? [] : ['--redirect-uris', redirectUris.join(',')]),
    ...(publicKeys === undefined ? [] : ['--public-keys', KEYS_FILE]),
    ...(outboundUrl === undefined ? [] : ['--outbound-url', outboundUrl ?? '']),
  ];
}

export const appLines = {
  list: (): string[] => ['apps', 'list'],
  show: (id: string): string[] => ['apps', 'show', id],
  create: ({ name, kind, ...settings }: NewApp): string[] => ['apps', 'create', name, ...(kind === 'Server' ? [] : ['--kind', kind]), ...settingsFlags(settings)],
  change: (id: string, { name, ...settings }: AppPatch): string[] => ['apps', 'change', id, ...(name === undefined ? [] : ['--name', name]), ...settingsFlags(settings)],
  delete: (id: string): string[] => ['apps', 'delete', id],
  createSecret: (id: string): string[] => ['apps', 'secret', id],
  deleteSecret: (id: string, secret: string): string[] => ['apps', 'delete-secret', id, secret],
  outboundSecret: (id: string, rotate = false): string[] => ['apps', 'outbound-secret', id, ...(rotate ? ['--rotate'] : [])],
  verificationToken: (id: string, flag?: '--rotate' | '--remove'): string[] => ['apps', 'verification-token', id, ...(flag === undefined ? [] : [flag])],
};

export const credentialLines = {
  list: (person?: string): string[] => ['credentials', 'list', ...(person === undefined ? [] : ['--person', person])],
  /** Ends are told in whole days. */
  create: ({ kind, name, permissions, clientId, expirationTime, personId }: NewCredential, now: Date): string[] => {
    const end = timeOf(expirationTime);
    return [
      'credentials',
      'create',
      name,
      ...(kind === 'Jwt' ? ['--jwt'] : ['--permissions', (permissions ?? []).join(',')]),
      ...(clientId === undefined ? [] : ['--app', clientId]),
      ...(end === null ? [] : ['--days', String(Math.max(Math.round((end.getTime() - now.getTime()) / DAY_MS), 1))]),
      ...(personId === undefined ? [] : ['--person', personId]),
    ];
  },
  revoke: (id: string): string[] => ['credentials', 'revoke', id],
};
