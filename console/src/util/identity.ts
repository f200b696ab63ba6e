// What stands in for a picture of a person or a sender: initials, and a colour that stays the same.

/** Colours an avatar can have; see `--avatar-n` in the tokens. */
export const AVATAR_COLORS = 8;

/** Up to two letters: of the first and last word, or the first of a single one. Never half a character. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._@/:-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = (words.length > 1 ? [words[0], words.at(-1)] : words.slice(0, 1)).map((word) => {
    const letter = /[\p{L}\p{N}]/u.exec(word ?? '');
    return letter?.[0] ?? '';
  });
  return letters.join('').toLocaleUpperCase('en') || '?';
}

/** A number below `AVATAR_COLORS` that depends on the text only (FNV-1a). */
export function colorOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const character of key) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % AVATAR_COLORS;
}

/** The eight names that cards and events may use for colours. */
const namedColors = ['black', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'magenta'];

/** A card's colour as something CSS can take: a token for a name, the value for `#rrggbb`, else `null`. */
export function edgeColor(color: string | null | undefined): string | null {
  if (typeof color !== 'string') return null;
  const lower = color.toLowerCase();
  if (namedColors.includes(lower)) return `var(--edge-${lower})`;
  return /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/.test(lower) ? lower : null;
}

/** UTF-16 units of the longest emoji, a family with skin tones, with room to spare. */
const EMOJI_UNITS_MAX = 32;

/** Only an emoji itself: `:name:` would need a table of names, so it is left to the initials. */
export function emojiOf(value: string | null | undefined): string | null {
  return typeof value === 'string' && /^\p{Extended_Pictographic}[^\p{L}\p{N}]*$/u.test(value) && value.length <= EMOJI_UNITS_MAX ? value : null;
}
