import { describe, expect, it } from 'vitest';
import { prettyJson, tokensOf } from './json';

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
