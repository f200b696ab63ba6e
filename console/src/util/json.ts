// JSON as coloured text: tokens that a component draws, so that a payload is never HTML.

export type TokenKind = 'key' | 'string' | 'number' | 'word' | 'mark' | 'space';

export interface Token {
  kind: TokenKind;
  text: string;
}

/** Longer texts are shown without colours: a span per token costs more than it helps. */
export const COLORED_CHARS_MAX = 64 * 1024;

const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\],:])|(\s+)/gy;

/** The payload with two spaces of indentation, or `null` when it is not JSON. */
export function prettyJson(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** Tokens of a JSON text whose texts, joined, are the text itself. Anything odd is a `word`. */
export function tokensOf(json: string): Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < json.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(json);
    if (found === null) {
      tokens.push({ kind: 'word', text: json.slice(at) });
      return tokens;
    }
    const [whole, quoted, colon, number, word, mark] = found;
    if (quoted !== undefined) {
      tokens.push({ kind: colon === undefined ? 'string' : 'key', text: quoted });
      if (colon !== undefined) tokens.push({ kind: 'mark', text: colon });
    } else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (word !== undefined) tokens.push({ kind: 'word', text: word });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    else tokens.push({ kind: 'space', text: whole });
  }
  return tokens;
}
