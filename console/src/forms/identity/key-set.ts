// Public keys as somebody pastes them: a key set, a list of keys or one key. Read as the server reads them,
// so that a mistake shows while it is made. Pure.

import type { PublicKey } from '../../api/identity/wire';
import { readJson } from '../../util/json';

/** Members that only a private key has, or one that is shared. */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

export type KeySet = { ok: true; keys: PublicKey[] } | { ok: false; message: string };

/** The keys of a text; none of an empty one. */
export function keysOf(text: string): KeySet {
  if (text.trim() === '') return { ok: true, keys: [] };
  const read = readJson(text);
  if (!read.ok) return { ok: false, message: `Line ${read.fault.line}, column ${read.fault.column}: ${read.fault.message}` };
  const found = candidatesOf(read.value);
  if (found === null) return { ok: false, message: 'This is neither a key set nor a key: one has a member “keys”, the other a member “kty”' };
  const keys: PublicKey[] = [];
  for (const [index, key] of found.entries()) {
    const name = found.length === 1 ? 'The key' : `Key ${index + 1}`;
    if (!isObject(key)) return { ok: false, message: `${name} is not an object` };
    const complaint = complaintOf(key);
    if (complaint !== null) return { ok: false, message: `${name} ${complaint}` };
    if (key['kid'] !== undefined && keys.some(({ kid }) => kid === key['kid'])) return { ok: false, message: `${name} has the “kid” of another key` };
    keys.push(key);
  }
  return { ok: true, keys };
}

/** Keys as the form shows them: a set, or nothing. */
export function keysText(keys: readonly PublicKey[]): string {
  return keys.length === 0 ? '' : JSON.stringify({ keys }, null, 2);
}

/** A key in a few words: `RSA, 2048 bits`, `EC, P-256`. */
export function keyText(key: PublicKey): string {
  const type = String(key['kty']);
  if (type !== 'RSA') return `${type}, ${String(key['crv'])}`;
  return `RSA, ${bytesIn(key['n']) * 8} bits`;
}

function candidatesOf(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return null;
  const { keys } = value;
  if (Array.isArray(keys)) return keys;
  return 'kty' in value ? [value] : null;
}

function isObject(value: unknown): value is PublicKey {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How many bytes a text of Base64url without padding stands for; none when it is no such text. */
function bytesIn(value: unknown): number {
  return typeof value === 'string' && /^[\w-]+$/.test(value) && value.length % 4 !== 1 ? Math.floor((value.length * 3) / 4) : 0;
}

const curves: Record<string, Record<string, number>> = {
  EC: { 'P-256': 32, 'P-384': 48, 'P-521': 66 },
  OKP: { Ed25519: 32, Ed448: 57 },
};

function complaintOf(key: PublicKey): string | null {
  const secret = PRIVATE.find((member) => member in key);
  if (secret !== undefined) return `holds “${secret}”, which belongs to a private key. Make another pair, for this one has been shown, and paste its public half`;
  if (key['use'] !== undefined && key['use'] !== 'sig') return 'is not for signatures: its “use” must be “sig”, or be left out';
  const type = String(key['kty']);
  if (type === 'RSA') {
    if (bytesIn(key['e']) === 0) return 'needs “e”, in Base64url without padding';
    return bytesIn(key['n']) < 256 ? 'needs “n” of at least 2048 bits, in Base64url without padding' : null;
  }
  const sizes = curves[type];
  if (sizes === undefined) return 'needs a “kty” of RSA, EC or OKP';
  const size = sizes[String(key['crv'])];
  if (size === undefined) return `needs a curve “crv” of ${Object.keys(sizes).join(', ')}`;
  const wrong = (type === 'EC' ? ['x', 'y'] : ['x']).find((member) => bytesIn(key[member]) !== size);
  return wrong === undefined ? null : `needs “${wrong}” of ${size} bytes, in Base64url without padding`;
}
