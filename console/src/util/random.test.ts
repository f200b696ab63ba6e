import { expect, it } from 'vitest';
import { randomToken } from './random';

it('makes tokens of 256 bits that fit anywhere, and never the same twice', () => {
  const tokens = Array.from({ length: 50 }, randomToken);
  for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
  expect(new Set(tokens).size).toBe(50);
});
