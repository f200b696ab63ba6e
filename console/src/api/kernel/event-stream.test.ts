import { describe, expect, it } from 'vitest';
import { EVENT_CHARS_MAX, EventStreamParser, type StreamItem } from './event-stream';

const encoder = new TextEncoder();

/** Everything the stream gives out, fed in pieces of `size` bytes. */
function read(text: string, size = 10_000): StreamItem[] {
  const parser = new EventStreamParser();
  const bytes = encoder.encode(text);
  const items: StreamItem[] = [];
  for (let from = 0; from < bytes.length; from += size) items.push(...parser.push(bytes.subarray(from, from + size)));
  return items;
}

const post = { kind: 'event', event: 'post', data: '{"text":"né 🚢"}', id: '7' };

describe('the event stream', () => {
  it('gives out events with their names and ids', () => {
    expect(read('event: post\nid: 7\ndata: {"text":"né 🚢"}\n\n')).toEqual([post]);
  });

  it.each(['\n', '\r\n', '\r'])('reads line ends %j in pieces of any size', (end) => {
    const text = ['event: post', 'id: 7', 'data: {"text":"né 🚢"}', '', ': ping', 'event:post', 'data:x', '', 'data: y', '', ''].join(end);
    const expected = read(text);
    expect(expected).toHaveLength(end === '\r' ? 3 : 4);
    expect(expected[0]).toEqual(post);
    expect(expected[1]).toEqual({ kind: 'comment' });
    for (const size of [1, 2, 3, 5, 7]) expect(read(text, size)).toEqual(expected);
  });

  it('joins several data lines and keeps the id for later events', () => {
    expect(read('id: 1\ndata: a\ndata:\ndata:  b\n\ndata: c\n\n')).toEqual([
      { kind: 'event', event: 'message', data: 'a\n\n b', id: '1' },
      { kind: 'event', event: 'message', data: 'c', id: '1' },
    ]);
  });

  it('ignores what the standard ignores', () => {
    expect(read('\uFEFFevent: lost\n\nnonsense\nretry: 5\nid: a\0b\ndata\n\n')).toEqual([{ kind: 'event', event: 'message', data: '', id: null }]);
  });

  it('holds back an event that is not complete', () => {
    expect(read('data: half\n')).toEqual([]);
  });

  it('ends rather than collect without bound', () => {
    const parser = new EventStreamParser();
    const chunk = encoder.encode('x'.repeat(1024 * 1024));
    expect(() => {
      for (let bytes = 0; bytes <= EVENT_CHARS_MAX + chunk.length; bytes += chunk.length) parser.push(chunk);
    }).toThrow(RangeError);
  });
});
