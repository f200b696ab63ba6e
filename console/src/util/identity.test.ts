import { describe, expect, it } from 'vitest';
import { AVATAR_COLORS, colorOf, edgeColor, emojiOf, initialsOf } from './identity';

describe('initials', () => {
  it.each([
    ['Ada Lovelace', 'AL'],
    ['Ada King of Lovelace', 'AL'],
    ['ci', 'C'],
    ['build-bot', 'BB'],
    ['ops@example.com', 'OC'],
    ['élan', 'É'],
    ['👩‍👩‍👧 family', 'F'],
    ['重点', '重'],
    ['🚢', '?'],
    ['', '?'],
  ])('of %j are %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});

describe('colours', () => {
  it('stay the same and use the whole range', () => {
    expect(colorOf('17')).toBe(colorOf('17'));
    const seen = new Set(Array.from({ length: 200 }, (_, n) => colorOf(String(n))));
    expect(seen.size).toBe(AVATAR_COLORS);
  });

  it('of cards are names or hex, nothing else', () => {
    expect(edgeColor('Green')).toBe('var(--edge-green)');
    expect(edgeColor('#00FF2a')).toBe('#00ff2a');
    for (const hostile of ['url(https://a.test)', 'red;background:url(x)', '#12', 'var(--x)', null, undefined]) {
      expect(edgeColor(hostile)).toBeNull();
    }
  });
});

it('an emoji is one emoji, not words', () => {
  expect(emojiOf('🚢')).toBe('🚢');
  expect(emojiOf('👩‍👩‍👧')).toBe('👩‍👩‍👧');
  for (const other of [':ship:', '🚢 ship', 'x', '', null, undefined]) expect(emojiOf(other)).toBeNull();
});
