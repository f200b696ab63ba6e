import { describe, expect, it } from 'vitest';
import { rotationOf } from './rotation';

const secret = (id: string, hour: number, usedHour: number | null = null) => ({
  id,
  hint: id,
  creationTime: `2026-03-10T${String(hour).padStart(2, '0')}:00:00.000Z`,
  lastUsedTime: usedHour === null ? null : `2026-03-10T${String(usedHour).padStart(2, '0')}:30:00.000Z`,
});

describe('the rotation of a secret', () => {
  it('has nothing to say about an app without one', () => {
    expect(rotationOf([])).toBeNull();
  });

  it('begins with another secret', () => {
    expect(rotationOf([secret('a', 8, 9)])).toMatchObject({ old: { id: 'a' }, next: null, states: ['now', 'later', 'later'] });
  });

  it('waits until the new one is used, whichever is told first', () => {
    for (const secrets of [[secret('a', 8, 9), secret('b', 10)], [secret('b', 10), secret('a', 8, 9)]]) {
      expect(rotationOf(secrets)).toMatchObject({ old: { id: 'a' }, next: { id: 'b' }, states: ['done', 'now', 'later'], oldInUse: false });
    }
  });

  it('does not ask to remove what is still used', () => {
    expect(rotationOf([secret('a', 8, 12), secret('b', 10, 11)])).toMatchObject({ states: ['done', 'now', 'later'], oldInUse: true });
    expect(rotationOf([secret('a', 8, 11), secret('b', 10)])).toMatchObject({ states: ['done', 'now', 'later'], oldInUse: true });
  });

  it('ends with the old one', () => {
    expect(rotationOf([secret('a', 8, 11), secret('b', 10, 12)])).toMatchObject({ states: ['done', 'done', 'now'], oldInUse: false });
    expect(rotationOf([secret('a', 8), secret('b', 10, 12)])).toMatchObject({ states: ['done', 'done', 'now'] });
  });
});
