import { describe, expect, it } from 'vitest';
import { pointerOffset, prettyJson, readJson, tokensOf } from './json';

describe('coloured JSON', () => {
  it('keeps every character', () => {
    const pretty = prettyJson('{"a":[1,-2.5e3,true,null,"x\\"<b>"],"b":{}}') ?? '';
    expect(tokensOf(pretty).map((token) => token.text).join('')).toBe(pretty);
  });

  it('tells keys from values', () => {
    expect(tokensOf('{"a": "b"}').map(({ kind, text }) => `${kind} ${text}`)).toEqual(['mark {', 'key "a"', 'mark :', 'space  ', 'string "b"', 'mark }']);
  });

  it('gives up quietly on what is not JSON', () => {
    expect(prettyJson('payload=x')).toBeNull();
    expect(tokensOf('[oops').map((token) => token.text).join('')).toBe('[oops');
  });
});

describe('a text that should be JSON', () => {
  const where = (text: string) => {
    const read = readJson(text);
    return read.ok ? null : [read.fault.line, read.fault.column, read.fault.message];
  };

  it('is read when it is', () => {
    expect(readJson(' {"a": [1, null]} ')).toEqual({ ok: true, value: { a: [1, null] } });
  });

  it('says where it goes wrong', () => {
    expect(where('{\n  "a": 1,\n}')).toEqual([3, 1, 'The name of a member is expected here, in double quotes']);
    expect(where('{"a" 1}')).toEqual([1, 6, 'A colon is expected here']);
    expect(where('[1 2]')).toEqual([1, 4, 'A comma or ] is expected here']);
    expect(where('{"a": nope}')).toEqual([1, 7, 'A value is expected here']);
    expect(where('{"a": "b')?.[1]).toBe(7);
    expect(where('')).toEqual([1, 1, 'The text ends too early']);
    expect(where('{} {}')).toEqual([1, 4, 'Nothing may follow the value']);
    expect(where('[01]')).toEqual([1, 2, 'A value is expected here']);
  });

  it('is pointed into by a JSON pointer', () => {
    const text = '{"data": {"a/b": [1, {"$gtt": 5}]}}';
    expect(text.slice(pointerOffset(text, '/data/a~1b/1/$gtt'))).toBe('"$gtt": 5}]}}');
    expect(text.slice(pointerOffset(text, '/data/a~1b/1'))).toBe('{"$gtt": 5}]}}');
    expect(text.slice(pointerOffset(text, '/data/missing'))).toBe('"data": {"a/b": [1, {"$gtt": 5}]}}');
    expect(pointerOffset(text, '')).toBe(0);
  });
});
