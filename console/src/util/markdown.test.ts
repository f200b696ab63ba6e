import { describe, expect, it } from 'vitest';
import fixture from '../../../crates/domain/fixtures/markdown.json?raw';
import { type Block, type Inline, parseMarkdown, plainText } from './markdown';
import { isSafeHref } from './url';

interface Vector {
  name: string;
  source: string;
  blocks: Block[];
}

const vectors: Vector[] = JSON.parse(fixture);

describe('the vectors shared with the server', () => {
  it('are all here', () => {
    expect(vectors.length).toBeGreaterThanOrEqual(60);
  });

  it.each(vectors)('$name', ({ source, blocks }) => {
    expect(parseMarkdown(source)).toEqual(blocks);
  });
});

function* links(inlines: Inline[]): Generator<string> {
  for (const inline of inlines) {
    if (inline.type === 'link') yield inline.href;
    if ('children' in inline) yield* links(inline.children);
  }
}

describe('any text', () => {
  /** A small generator with a fixed seed, so that a failure can be repeated. */
  function* texts(count: number): Generator<string> {
    const parts = ['*', '**', '***', '_', '[', ']', '](', ')', '(', '![', '![:Person](1)', '\n', '> ', '* ', '\\', ' ', 'a', 'é', 'https://x.y/', 'javascript:', 'mailto:a@b'];
    let state = 20_261;
    const next = (bound: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * bound);
    };
    for (let n = 0; n < count; n += 1) yield Array.from({ length: next(40) }, () => parts[next(parts.length)]).join('');
  }

  it('parses to safe links only', () => {
    for (const source of texts(3_000)) {
      for (const block of parseMarkdown(source)) {
        const lines = block.type === 'list' ? block.items : [block.children];
        for (const href of lines.flatMap((line) => [...links(line)])) expect(isSafeHref(href), source).toBe(true);
      }
    }
  });

  it('takes linear time, however hostile', () => {
    // Quadratic work on these would take minutes and run into the test's own limit.
    for (const pattern of ['[](', '[', '**[_*', '![:Person](', 'https://(', '](', '*a', '> * ', '(https://a)']) {
      parseMarkdown(pattern.repeat(200_000 / pattern.length));
    }
  });
});

describe('plain text', () => {
  it('shows labels and hides markup', () => {
    expect(plainText('**Build** [7](https://ci.example.com/7) failed\n* _x_\n* y')).toBe('Build 7 failed x, y');
  });
});
