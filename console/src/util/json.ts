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

/** Where a JSON text goes wrong, as people count: lines and columns from 1. */
export interface JsonFault {
  message: string;
  at: number;
  line: number;
  column: number;
}

export type ReadJson = { ok: true; value: unknown } | { ok: false; fault: JsonFault };

/** The value of a JSON text, or what is wrong with it and where. */
export function readJson(text: string): ReadJson {
  const value = parsed(text);
  if (value !== undefined) return { ok: true, value: value.value };
  const scan = new Scan(text);
  try {
    scan.document();
    return { ok: false, fault: faultAt(text, text.length, 'This is not JSON') };
  } catch (error) {
    return { ok: false, fault: faultAt(text, scan.at, error instanceof SyntaxError ? error.message : 'This is not JSON') };
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function faultAt(text: string, at: number, message: string): JsonFault {
  const before = text.slice(0, at).split('\n');
  return { message, at, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** Where the value that a JSON pointer names begins in the text; the nearest one around it where it is missing. */
export function pointerOffset(text: string, pointer: string): number {
  const segments = pointer.split('/').slice(1).map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  const scan = new Scan(text);
  try {
    scan.document();
  } catch {
    // What was read so far is enough to point into it.
  }
  for (let length = segments.length; length > 0; length -= 1) {
    const found = scan.places.get(JSON.stringify(segments.slice(0, length)));
    if (found !== undefined) return found;
  }
  return 0;
}

/** Reads JSON for its places only. Throws a `SyntaxError` at the first thing that is none. */
class Scan {
  at = 0;
  /** Offsets of members (their names) and items, by path. */
  readonly places = new Map<string, number>();
  readonly #text: string;
  readonly #path: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#space();
    this.#value();
    this.#space();
    if (this.at < this.#text.length) throw new SyntaxError('Nothing may follow the value');
  }

  #value(): void {
    const next = this.#text[this.at];
    if (next === '{') return this.#members('}', () => this.#member());
    if (next === '[') return this.#items();
    if (next === '"') return void this.#string();
    const plain = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/y;
    plain.lastIndex = this.at;
    const found = plain.exec(this.#text);
    if (found === null) throw new SyntaxError(next === undefined ? 'The text ends too early' : 'A value is expected here');
    this.at += found[0].length;
  }

  #items(): void {
    let index = 0;
    this.#members(']', () => {
      this.#inside(String(index), this.at, () => this.#value());
      index += 1;
    });
  }

  #member(): void {
    const start = this.at;
    if (this.#text[this.at] !== '"') throw new SyntaxError('The name of a member is expected here, in double quotes');
    const name = this.#string();
    this.#space();
    if (this.#text[this.at] !== ':') throw new SyntaxError('A colon is expected here');
    this.at += 1;
    this.#space();
    this.#inside(name, start, () => this.#value());
  }

  #inside(segment: string, start: number, read: () => void): void {
    this.#path.push(segment);
    this.places.set(JSON.stringify(this.#path), start);
    read();
    this.#path.pop();
  }

  #members(end: string, read: () => void): void {
    this.at += 1;
    this.#space();
    if (this.#text[this.at] === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      read();
      this.#space();
      const next = this.#text[this.at];
      if (next !== end && next !== ',') throw new SyntaxError(next === undefined ? 'The text ends too early' : `A comma or ${end} is expected here`);
      this.at += 1;
      if (next === end) return;
      this.#space();
    }
  }

  #string(): string {
    const quoted = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    quoted.lastIndex = this.at;
    const found = quoted.exec(this.#text);
    if (found === null) throw new SyntaxError('This text is not closed, or holds a character that must be escaped');
    this.at += found[0].length;
    return String(JSON.parse(found[0]));
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.at] ?? '')) this.at += 1;
  }
}
