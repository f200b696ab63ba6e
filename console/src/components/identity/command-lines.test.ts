import { describe, expect, it } from 'vitest';
import { hookyardOf } from '../../util/curl';
import { appLines, credentialLines } from './command-lines';

const now = new Date('2026-03-10T12:00:00.000Z');

describe('the command line', () => {
  it('makes and changes an app', () => {
    expect(hookyardOf(appLines.create({ name: "Ada's", kind: 'Server', permissions: ['ReadAccounts', 'TeamMessaging'] }))).toBe(
      String.raw`hookyard apps create 'Ada'\''s' --permissions ReadAccounts,TeamMessaging`,
    );
    expect(hookyardOf(appLines.create({ name: 'Page', kind: 'Browser', permissions: [], redirectUris: ['https://a.example/in'] }))).toBe(
      'hookyard apps create Page --kind Browser --redirect-uris https://a.example/in',
    );
    expect(hookyardOf(appLines.change('c1', { outboundUrl: null, publicKeys: { keys: [] } }))).toBe("hookyard apps change c1 --public-keys keys.json --outbound-url ''");
    expect(hookyardOf(appLines.verificationToken('c1', '--remove'))).toBe('hookyard apps verification-token c1 --remove');
  });

  it('makes credentials', () => {
    expect(hookyardOf(credentialLines.create({ kind: 'PersonalAccessToken', name: 'Backups', permissions: ['ReadAccounts'], expirationTime: '2026-06-08T12:00:00.000Z' }, now))).toBe(
      'hookyard credentials create Backups --permissions ReadAccounts --days 90',
    );
    expect(hookyardOf(credentialLines.create({ kind: 'Jwt', name: 'CI', clientId: 'c1', personId: '8' }, now))).toBe('hookyard credentials create CI --jwt --app c1 --person 8');
  });
});
