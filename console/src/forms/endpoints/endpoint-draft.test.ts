import { describe, expect, it } from 'vitest';
import type { EndpointSettings } from '../../api/endpoints/wire';
import { changesBetween, defaultSettings, draftOf, emptySettings, fieldOf, filterPointer, hasMasks, patchOf, settingsOf, unmasked } from './endpoint-draft';

const full: EndpointSettings = {
  ...defaultSettings,
  url: 'https://example.com/hook',
  eventTypes: ['invoice.*'],
  description: 'Books',
  contentFilter: { data: { amount: { $gt: 5 } } },
  headers: { 'X-Tenant': 'acme' },
  authorization: { type: 'oauth2', tokenUrl: 'https://id.example.com', clientId: 'a', clientSecret: 'b' },
  verificationToken: 't',
  retryPolicy: { schedule: { kind: 'exponential', firstMs: 1_000, longestMs: 60_000 }, attemptsMax: 3, ageMaxMs: 86_400_000 },
  rateLimit: { count: 5, perMs: 1_000 },
};

describe('the form of an endpoint', () => {
  it('gives back what it was given', () => {
    for (const settings of [full, { ...full, ...defaultSettings }]) expect(settingsOf(draftOf(settings))).toEqual({ settings, faults: {} });
  });

  it('says what is missing', () => {
    expect(Object.keys(settingsOf(draftOf(emptySettings())).faults)).toEqual(['url', 'eventTypes']);
    const draft = { ...draftOf(full), url: 'ftp://x', delays: '5s, soon', schedule: 'list' as const, attemptsMax: null, contentFilter: '{"a": }', headers: [{ name: 'a', value: '1' }, { name: 'A', value: '2' }] };
    expect(settingsOf(draft).faults).toEqual({
      url: 'This is not a web address. It begins with https://',
      delays: '“soon” is not a duration such as 5s, 30m or 2h',
      attemptsMax: 'Write a whole number',
      contentFilter: 'Line 1, column 7: A value is expected here',
      headers: 'Two headers have the same name',
    });
  });

  it('reads a list of delays as people write it', () => {
    const delays = (text: string) => {
      const { schedule } = settingsOf({ ...draftOf(full), schedule: 'list', delays: text }).settings.retryPolicy;
      return schedule.kind === 'list' ? schedule.delaysMs : [];
    };
    expect(delays('5s, 5m,30 min 2h')).toEqual([5_000, 300_000, 1_800_000, 7_200_000]);
    expect(settingsOf({ ...draftOf(full), schedule: 'list', delays: ' ' }).faults.delays).toBe('Say after which times to try again');
  });

  it('sends only what was changed', () => {
    const next = settingsOf({ ...draftOf(full), description: 'Ledger', rateLimited: false }).settings;
    expect(changesBetween(full, next)).toEqual({ description: 'Ledger', rateLimit: null });
    const fresh = settingsOf({ ...draftOf(emptySettings()), url: 'https://a.b', eventTypes: ['*'] }).settings;
    expect(changesBetween(emptySettings(), fresh)).toEqual({ url: 'https://a.b', eventTypes: ['*'] });
  });

  it('takes away what is gone, and leaves alone what is still masked', () => {
    const before: EndpointSettings = { ...full, headers: { 'X-Tenant': '••••', 'X-Old': '••••' } };
    const after: EndpointSettings = { ...before, headers: { 'X-Tenant': '••••', 'X-New': '1' }, authorization: { type: 'oauth2', tokenUrl: 'https://id.example.com', clientId: 'b', clientSecret: '••••' }, contentFilter: null };
    expect(patchOf(before, changesBetween(before, after))).toEqual({
      headers: { 'X-New': '1', 'X-Old': null },
      authorization: { type: 'oauth2', tokenUrl: 'https://id.example.com', clientId: 'b', clientSecret: '••••', scope: null },
      contentFilter: null,
    });
  });

  it('lands an error of the API at its field', () => {
    expect(fieldOf('eventTypes[2]')).toBe('eventTypes');
    expect(fieldOf('headers.X-Foo')).toBe('headers');
    expect(fieldOf('retryPolicy.schedule.delaysMs[0]')).toBe('delays');
    expect(fieldOf('retryPolicy.attemptsMax')).toBe('attemptsMax');
    expect(fieldOf('callbackUrl')).toBe('url');
    expect(fieldOf('contentFilter/data/$gtt')).toBe('contentFilter');
    expect(fieldOf('somethingNew')).toBeNull();
  });

  it('finds the place in a filter', () => {
    expect(filterPointer('contentFilter/data/amount/$gtt')).toBe('/data/amount/$gtt');
    expect(filterPointer('contentFilter.data.items[1].$in')).toBe('/data/items/1/$in');
    expect(filterPointer('contentFilter')).toBeNull();
  });

  it('shows masked values once they are known', () => {
    const masked = { ...full, headers: { 'X-Tenant': '••••', 'X-New': '1' }, authorization: { ...full.authorization, clientSecret: '••••' } as EndpointSettings['authorization'] };
    expect(hasMasks(masked)).toBe(true);
    const clear = unmasked(masked, full);
    expect(clear.headers).toEqual({ 'X-Tenant': 'acme', 'X-New': '1' });
    expect(clear.authorization).toEqual(full.authorization);
    expect(hasMasks(clear)).toBe(false);
  });
});
