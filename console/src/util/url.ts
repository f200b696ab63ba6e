// What a link in foreign text may lead to, and how its target is told to people.

const prefixes = ['https://', 'http://', 'mailto:', 'tel:'];

/** One of four schemes, something behind it, and no white space or control character anywhere. */
export function isSafeHref(href: string): boolean {
  const lower = href.slice(0, 8).toLowerCase();
  return prefixes.some((prefix) => lower.startsWith(prefix) && href.length > prefix.length) && !/[\u0000-\u0020\u007f]/.test(href);
}

/** The address when it is safe to follow, else `null`. For `href` attributes. */
export function safeHref(value: unknown): string | null {
  return typeof value === 'string' && isSafeHref(value) ? value : null;
}

/** Pictures that may be shown without asking anyone: they are in the document already. SVG is not among them. */
export function isInlineImage(value: unknown): value is string {
  return typeof value === 'string' && /^data:image\/(png|gif|jpeg|webp);base64,[A-Za-z0-9+/=]+$/.test(value);
}

/** Where an address leads, short enough to read: the host, or the mailbox or number. */
export function hostOf(href: string): string {
  if (!URL.canParse(href)) return href;
  const url = new URL(href);
  return url.host === '' ? url.pathname : url.host;
}
