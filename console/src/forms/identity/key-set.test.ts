import { describe, expect, it } from 'vitest';
import { keyText, keysOf, keysText } from './key-set';

/** Base64url of so many bytes. */
const bytes = (count: number): string => 'A'.repeat(Math.ceil((count * 4) / 3));
const rsa = { kty: 'RSA', kid: 'r', n: bytes(256), e: 'AQAB' };
const ec = { kty: 'EC', crv: 'P-256', kid: 'e', x: bytes(32), y: bytes(32) };
const ed = { kty: 'OKP', crv: 'Ed25519', x: bytes(32) };

const read = (value: unknown) => keysOf(JSON.stringify(value));
const complaint = (value: unknown) => {
  const keys = read(value);
  return keys.ok ? null : keys.message;
};

describe('public keys', () => {
  it('come as a set, as a list, or alone', () => {
    for (const value of [{ keys: [rsa, ec, ed] }, [rsa, ec, ed]]) expect(read(value)).toEqual({ ok: true, keys: [rsa, ec, ed] });
    expect(read(ed)).toEqual({ ok: true, keys: [ed] });
    expect(keysOf('  ')).toEqual({ ok: true, keys: [] });
  });

  it('are shown as they are read', () => {
    expect(keysOf(keysText([rsa, ec]))).toEqual({ ok: true, keys: [rsa, ec] });
    expect(keysText([])).toBe('');
    expect([rsa, ec, ed].map(keyText)).toEqual(['RSA, 2048 bits', 'EC, P-256', 'OKP, Ed25519']);
  });

  it('are never private ones', () => {
    expect(complaint({ ...rsa, d: 'AQAB' })).toMatch(/^The key holds “d”.*has been shown/);
    expect(complaint({ kty: 'oct', k: 'AQAB' })).toMatch(/holds “k”/);
  });

  it('say which is wrong, and how', () => {
    expect(complaint([rsa, { ...ec, x: bytes(31) }])).toBe('Key 2 needs “x” of 32 bytes, in Base64url without padding');
    expect(complaint({ ...ec, crv: 'secp256k1' })).toBe('The key needs a curve “crv” of P-256, P-384, P-521');
    expect(complaint({ ...rsa, n: bytes(128) })).toMatch(/at least 2048 bits/);
    expect(complaint({ ...rsa, n: `${bytes(256)}=` })).toMatch(/without padding/);
    expect(complaint({ ...rsa, use: 'enc' })).toMatch(/for signatures/);
    expect(complaint([rsa, { ...ec, kid: 'r' }])).toBe('Key 2 has the “kid” of another key');
    expect(complaint([ed, ed])).toBeNull();
    expect(complaint({ kty: 'XYZ' })).toMatch(/RSA, EC or OKP/);
    expect(complaint([3])).toBe('The key is not an object');
    expect(complaint({ other: 1 })).toMatch(/neither a key set nor a key/);
    expect(keysOf('{"keys": [')).toMatchObject({ ok: false, message: expect.stringMatching(/^Line 1, column \d+: /) });
  });
});
