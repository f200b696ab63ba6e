import { describe, expect, it } from 'vitest';
import { changesBetween, draftOf, emptyApp, fieldOf, redirectComplaint, settingsOf } from './app-draft';

const app = {
  ...emptyApp(),
  name: 'Ledger',
  permissions: ['SubscriptionWebhook', 'ReadAccounts'],
  redirectUris: ['https://ledger.example/in', 'com.example.ledger:/in'],
  publicKeys: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) }] },
  outboundUrl: 'https://ledger.example/actions',
};

describe('an app in its form', () => {
  it('comes out as it went in, and has then not changed', () => {
    const { settings, faults } = settingsOf(draftOf(app));
    expect(faults).toEqual({});
    expect(settings).toEqual({ ...app, permissions: ['ReadAccounts', 'SubscriptionWebhook'] });
    expect(changesBetween(app, settings)).toEqual({});
  });

  it('sends what was changed, and null for what was emptied', () => {
    const draft = { ...draftOf(app), name: ' Books ', outboundUrl: '', redirectUris: '\n https://ledger.example/in \n\n' };
    expect(changesBetween(app, settingsOf(draft).settings)).toEqual({ name: 'Books', outboundUrl: null, redirectUris: ['https://ledger.example/in'] });
  });

  it('needs a name, and a way back when it is in a browser', () => {
    expect(settingsOf(draftOf(emptyApp())).faults).toEqual({ name: expect.any(String) });
    expect(settingsOf({ ...draftOf(emptyApp()), name: 'Page', kind: 'Browser' }).faults).toEqual({ redirectUris: expect.stringMatching(/come back/) });
  });

  it('says what is wrong with an address or a key', () => {
    const { faults } = settingsOf({ ...draftOf(app), outboundUrl: 'ledger.example', publicKeys: '{"kty": 3' });
    expect(Object.keys(faults).toSorted()).toEqual(['outboundUrl', 'publicKeys']);
  });

  it.each(['https://a.example/in', 'http://localhost:3000/in', 'http://[::1]/in', 'com.example.app:/in'])('lets people come back to %s', (uri) => {
    expect(redirectComplaint(uri)).toBeNull();
  });

  it.each([['http://a.example/in', /https/], ['myapp:/in', /dot/], ['https://a.example/in#x', /fragment/], ['in', /not an address/], ['javascript:alert(1)', /dot/]])(
    'does not let people come back to %s',
    (uri, why) => {
      expect(redirectComplaint(uri)).toMatch(why);
    },
  );

  it('takes refusals to their controls', () => {
    expect(['name', 'redirectUris[2]', 'publicKeys.keys[0]', 'outboundUrl', 'elsewhere'].map(fieldOf)).toEqual(['name', 'redirectUris', 'publicKeys', 'outboundUrl', null]);
  });
});
