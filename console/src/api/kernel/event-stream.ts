// Server-sent events from bytes, as the standard reads them. Pure: the connection is in `live`.

/** One event that was dispatched, or a comment, which only shows that the other side is alive. */
export type StreamItem = { kind: 'event'; event: string; data: string; id: string | null } | { kind: 'comment' };

/** Data of one event past this many characters ends the stream: no event of ours is close to it. */
export const EVENT_CHARS_MAX = 8 * 1024 * 1024;

/** Collects chunks and gives out whole events. Knows the three line ends and chunks that cut one in half. */
export class EventStreamParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #dataChars = 0;
  #id: string | null = null;
  #begun = false;
  readonly #decoder = new TextDecoder();

  /** The id of the last event that had one: what `Last-Event-ID` says after a reconnect. */
  get lastEventId(): string | null {
    return this.#id;
  }

  /** The items that `chunk` completes. */
  push(chunk: Uint8Array): StreamItem[] {
    let text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    if (!this.#begun && text !== '') {
      this.#begun = true;
      if (text.startsWith('\uFEFF')) text = text.slice(1);
    }
    const items: StreamItem[] = [];
    let from = 0;
    for (;;) {
      const end = lineEnd(text, from);
      if (end === null) break;
      const item = this.#line(text.slice(from, end.at));
      if (item !== null) items.push(item);
      from = end.next;
    }
    this.#rest = text.slice(from);
    if (this.#rest.length > EVENT_CHARS_MAX) throw new RangeError('an event of the live stream is too large');
    return items;
  }

  #line(line: string): StreamItem | null {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return { kind: 'comment' };
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? '' : line.slice(colon + 1);
    const value = rest.startsWith(' ') ? rest.slice(1) : rest;
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#append(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #append(value: string): void {
    this.#dataChars += value.length;
    if (this.#dataChars > EVENT_CHARS_MAX) throw new RangeError('an event of the live stream is too large');
    this.#data.push(value);
  }

  #dispatch(): StreamItem | null {
    const event = this.#event === '' ? 'message' : this.#event;
    const data = this.#data;
    this.#event = '';
    this.#data = [];
    this.#dataChars = 0;
    return data.length === 0 ? null : { kind: 'event', event, data: data.join('\n'), id: this.#id };
  }
}

/** The next line end: `\r\n`, `\n` or `\r`. A `\r` at the very end may be half of a `\r\n`, so it waits. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let at = from; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\n') return { at, next: at + 1 };
    if (character === '\r') {
      if (at + 1 === text.length) return null;
      return { at, next: text.charAt(at + 1) === '\n' ? at + 2 : at + 1 };
    }
  }
  return null;
}
