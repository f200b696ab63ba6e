// Mini-markdown as a tree. The same grammar as `domain::markdown`; both run the vectors in
// `crates/domain/fixtures/markdown.json`. There is no HTML anywhere: components draw the tree.

import { isSafeHref } from './url';

export type Inline =
  | { type: 'text'; text: string }
  | { type: 'bold' | 'italic' | 'underline'; children: Inline[] }
  | { type: 'link'; href: string; children: Inline[] }
  | { type: 'mention'; kind: string; id: string }
  | { type: 'break' };

export type Block = { type: 'paragraph' | 'quote'; children: Inline[] } | { type: 'list'; items: Inline[][] };

/** Round brackets that a link's address may nest; each level lets a hostile text be scanned once more. */
const ADDRESS_BRACKETS_MAX = 4;
/** Characters of a mentioned id; ours are decimal numbers and UUIDs. */
const MENTION_ID_CHARS_MAX = 64;

type LineKind = 'blank' | 'paragraph' | 'quote' | 'item';

/** Parses a text in linear time. Never fails: what is not markup is text. */
export function parseMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  let kind: LineKind = 'blank';
  let lines: string[] = [];
  for (const raw of source.split('\n')) {
    const line = lineOf(trimmedEnd(raw));
    if (line.kind !== kind) {
      closeBlock(blocks, kind, lines);
      kind = line.kind;
      lines = [];
    }
    lines.push(line.content);
  }
  closeBlock(blocks, kind, lines);
  return blocks;
}

function trimmedEnd(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r'.includes(line.charAt(end - 1))) end -= 1;
  return line.slice(0, end);
}

function trimmedStart(line: string): string {
  let start = 0;
  while (start < line.length && ' \t'.includes(line.charAt(start))) start += 1;
  return line.slice(start);
}

function lineOf(line: string): { kind: LineKind; content: string } {
  const unindented = trimmedStart(line);
  if (unindented === '') return { kind: 'blank', content: '' };
  if (unindented.startsWith('>')) {
    return { kind: 'quote', content: unindented.slice(unindented.startsWith('> ') ? 2 : 1) };
  }
  if (unindented.startsWith('* ') || unindented.startsWith('- ')) {
    return { kind: 'item', content: trimmedStart(unindented.slice(2)) };
  }
  return { kind: 'paragraph', content: line };
}

function closeBlock(blocks: Block[], kind: LineKind, lines: string[]): void {
  if (kind === 'blank') return;
  if (kind === 'item') blocks.push({ type: 'list', items: lines.map(parseInlines) });
  else blocks.push({ type: kind, children: parseInlines(lines.join('\n')) });
}

type Toggled = 'bold' | 'italic' | 'underline';
type Style = 'root' | 'link' | Toggled;

const markers = { root: '', bold: '**', italic: '*', underline: '_', link: '[' } satisfies Record<Style, string>;

/** A style that was opened and may yet turn out to be plain text. */
interface Frame {
  style: Style;
  children: Inline[];
}

/** Parses one block's text. Styles do not nest in themselves, so an inline moves at most four times. */
export function parseInlines(source: string): Inline[] {
  return new InlineParser(source).parse();
}

const isSpace = (character: string): boolean => character === '' || ' \t\n'.includes(character);
const isWord = (character: string): boolean => /^[A-Za-z0-9]$/.test(character);
const isPunctuation = (character: string): boolean => /^[!-/:-@[-`{-~]$/.test(character);

class InlineParser {
  readonly #source: string;
  #position = 0;
  readonly #root: Frame = { style: 'root', children: [] };
  /** Open styles above the root, outermost first; each at most once. */
  readonly #frames: Frame[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Inline[] {
    let textFrom = 0;
    while (this.#position < this.#source.length) {
      const character = this.#at(this.#position);
      if (!this.#isSpecial(character)) {
        this.#position += 1;
        continue;
      }
      this.#pushSource(textFrom, this.#position);
      this.#special(character);
      textFrom = this.#position;
    }
    this.#pushSource(textFrom, this.#position);
    this.#dissolveFrom(0);
    return this.#root.children;
  }

  #isSpecial(character: string): boolean {
    switch (character) {
      case '\n':
      case '*':
      case '_':
      case '[':
      case ']':
        return true;
      case '\\':
        return isPunctuation(this.#at(this.#position + 1));
      case '!':
        return this.#source.startsWith('![:', this.#position);
      case 'h':
        return this.#atBareAddress();
      default:
        return false;
    }
  }

  #special(character: string): void {
    switch (character) {
      case '\n':
        this.#push({ type: 'break' });
        this.#position += 1;
        return;
      case '\\':
        this.#pushSource(this.#position + 1, this.#position + 2);
        this.#position += 2;
        return;
      case '*':
        return this.#stars();
      case '_':
        return this.#underscores();
      case '[':
        return this.#openLink();
      case ']':
        return this.#closeLink();
      case '!':
        return this.#mention();
      default:
        return this.#bareAddress();
    }
  }

  #at(position: number): string {
    return this.#source.charAt(position);
  }

  #top(): Inline[] {
    return (this.#frames.at(-1) ?? this.#root).children;
  }

  #push(inline: Inline): void {
    this.#top().push(inline);
  }

  #pushText(text: string): void {
    appendText(this.#top(), text);
  }

  #pushSource(from: number, to: number): void {
    this.#pushText(this.#source.slice(from, to));
  }

  #find(style: Style): number {
    return this.#frames.findIndex((frame) => frame.style === style);
  }

  /** Turns a frame back into the text it began with, and what followed. */
  #dissolve(index: number): void {
    const [frame] = this.#frames.splice(index, 1);
    if (frame === undefined) return;
    const parent = (this.#frames[index - 1] ?? this.#root).children;
    appendText(parent, markers[frame.style]);
    appendAll(parent, frame.children);
  }

  #dissolveFrom(index: number): void {
    while (this.#frames.length > index) this.#dissolve(this.#frames.length - 1);
  }

  #runLength(character: string): number {
    let end = this.#position;
    while (this.#at(end) === character) end += 1;
    return end - this.#position;
  }

  #stars(): void {
    const run = this.#runLength('*');
    const start = this.#position;
    this.#position += run;
    const canClose = start > 0 && !isSpace(this.#at(start - 1));
    const canOpen = !isSpace(this.#at(this.#position));
    if (run === 1) this.#toggle('italic', canOpen, canClose);
    else if (run === 2) this.#toggle('bold', canOpen, canClose);
    else if (run === 3) {
      const order: Toggled[] = this.#find('italic') > this.#find('bold') ? ['italic', 'bold'] : ['bold', 'italic'];
      for (const style of order) this.#toggle(style, canOpen, canClose);
    } else this.#pushSource(start, start + run);
  }

  /** Underscores inside words, and runs of them, are text: names in programs are full of them. */
  #underscores(): void {
    const run = this.#runLength('_');
    const start = this.#position;
    this.#position += run;
    if (run > 1) {
      this.#pushSource(start, start + run);
      return;
    }
    const before = start === 0 ? '' : this.#at(start - 1);
    const after = this.#at(this.#position);
    this.#toggle('underline', !isSpace(after) && !isWord(before), !isSpace(before) && !isWord(after));
  }

  /** Closes `style` if it is open and has content, else opens it if it is not open. */
  #toggle(style: Toggled, canOpen: boolean, canClose: boolean): void {
    const index = this.#find(style);
    const frame = this.#frames[index];
    if (frame === undefined) {
      if (canOpen) this.#frames.push({ style, children: [] });
      else this.#pushText(markers[style]);
      return;
    }
    const hasContent = this.#frames.length > index + 1 || frame.children.length > 0;
    if (!canClose || !hasContent) {
      this.#pushText(markers[style]);
      return;
    }
    this.#dissolveFrom(index + 1);
    this.#frames.pop();
    this.#push({ type: style, children: frame.children });
  }

  #openLink(): void {
    const index = this.#find('link');
    if (index >= 0) this.#dissolve(index);
    this.#frames.push({ style: 'link', children: [] });
    this.#position += 1;
  }

  #closeLink(): void {
    const index = this.#find('link');
    const frame = this.#frames[index];
    if (frame === undefined) {
      this.#pushText(']');
      this.#position += 1;
      return;
    }
    this.#dissolveFrom(index + 1);
    const end = this.#addressEnd(this.#position + 1);
    if (end === null) {
      this.#dissolve(index);
      this.#pushText(']');
      this.#position += 1;
      return;
    }
    const href = this.#source.slice(this.#position + 2, end);
    if (isSafeHref(href)) {
      this.#frames.pop();
      const children = withoutLinks(frame.children);
      if (children.length === 0) appendText(children, href);
      this.#push({ type: 'link', href, children });
    } else {
      // An address that we refuse stays readable as it was written.
      this.#dissolve(index);
      this.#pushSource(this.#position, end + 1);
    }
    this.#position = end + 1;
  }

  /** Where the bracket closes that opens at `open`, if one does and no white space is between. */
  #addressEnd(open: number): number | null {
    let depth = 0;
    for (let position = open; position < this.#source.length; position += 1) {
      const character = this.#at(position);
      if (character === '(') {
        if (depth > ADDRESS_BRACKETS_MAX) return null;
        depth += 1;
      } else if (character === ')') {
        if (depth === 1) return position;
        if (depth === 0) return null;
        depth -= 1;
      } else if (depth === 0 || character <= ' ') return null;
    }
    return null;
  }

  /** `![:Person](id)` and `![:Team](id)`. */
  #mention(): void {
    const found = mentionPattern.exec(this.#source.slice(this.#position, this.#position + MENTION_ID_CHARS_MAX + 16));
    const [whole, kind, id] = found ?? [];
    if (whole === undefined || kind === undefined || id === undefined) {
      this.#pushText('!');
      this.#position += 1;
      return;
    }
    this.#push({ type: 'mention', kind, id });
    this.#position += whole.length;
  }

  #atBareAddress(): boolean {
    const before = this.#position === 0 ? '' : this.#at(this.#position - 1);
    return (
      !isWord(before) &&
      (this.#source.startsWith('https://', this.#position) || this.#source.startsWith('http://', this.#position))
    );
  }

  /** An address without markup is a link to itself, without the punctuation that ends a sentence. */
  #bareAddress(): void {
    const scheme = this.#source.startsWith('https', this.#position) ? 'https://'.length : 'http://'.length;
    let length = 0;
    let unmatched = 0;
    for (; this.#position + length < this.#source.length; length += 1) {
      const character = this.#at(this.#position + length);
      if (character <= ' ' || character === '\u007f' || '<>"`*[]\\'.includes(character)) break;
      if (character === ')') unmatched += 1;
      if (character === '(') unmatched -= 1;
    }
    while (length > scheme) {
      const last = this.#at(this.#position + length - 1);
      if (last === ')' && unmatched > 0) unmatched -= 1;
      else if (!".,;:!?'_~".includes(last)) break;
      length -= 1;
    }
    const address = this.#source.slice(this.#position, this.#position + length);
    this.#position += length;
    if (length === scheme) this.#pushText(address);
    else this.#push({ type: 'link', href: address, children: [{ type: 'text', text: address }] });
  }
}

const mentionPattern = new RegExp(`^!\\[:(Person|Team)\\]\\(([A-Za-z0-9-]{1,${MENTION_ID_CHARS_MAX}})\\)`);

function appendText(inlines: Inline[], more: string): void {
  if (more === '') return;
  const last = inlines.at(-1);
  if (last?.type === 'text') last.text += more;
  else inlines.push({ type: 'text', text: more });
}

function appendAll(inlines: Inline[], more: Inline[]): void {
  for (const inline of more) {
    if (inline.type === 'text') appendText(inlines, inline.text);
    else inlines.push(inline);
  }
}

/** Links do not nest: an address inside a label is text. */
function withoutLinks(inlines: Inline[]): Inline[] {
  const kept: Inline[] = [];
  for (const inline of inlines) {
    switch (inline.type) {
      case 'text':
        appendText(kept, inline.text);
        break;
      case 'link':
        appendAll(kept, withoutLinks(inline.children));
        break;
      case 'bold':
      case 'italic':
      case 'underline':
        kept.push({ type: inline.type, children: withoutLinks(inline.children) });
        break;
      case 'mention':
      case 'break':
        kept.push(inline);
        break;
      default:
        inline satisfies never;
    }
  }
  return kept;
}

/** The text without markup, in one line: for announcements and labels. */
export function plainText(source: string): string {
  const inline = (inlines: Inline[]): string =>
    inlines
      .map((part) => {
        switch (part.type) {
          case 'text':
            return part.text;
          case 'mention':
            return `@${part.id}`;
          case 'break':
            return ' ';
          default:
            return inline(part.children);
        }
      })
      .join('');
  return parseMarkdown(source)
    .map((block) => (block.type === 'list' ? block.items.map(inline).join(', ') : inline(block.children)))
    .join(' ')
    .trim();
}
