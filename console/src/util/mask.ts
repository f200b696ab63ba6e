// Secrets in URLs, hidden from shoulders and screenshots.

/** Characters of a secret that stay visible, so that two of them can be told apart. */
const VISIBLE_CHARS = 4;

/** The URL with its last segment masked but for its end. */
export function maskedUrl(url: string): string {
  const slash = url.lastIndexOf('/');
  const secret = url.slice(slash + 1);
  const visible = secret.length >= VISIBLE_CHARS * 4 ? secret.slice(-VISIBLE_CHARS) : '';
  return `${url.slice(0, slash + 1)}${'•'.repeat(8)}${visible}`;
}
