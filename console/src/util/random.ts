// Chance that nobody can guess.

/** 256 bits: more than anybody could try. */
const BYTES = 32;

/** A token that is safe in headers, addresses and shells: 43 characters of Base64url. */
export function randomToken(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(BYTES));
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
