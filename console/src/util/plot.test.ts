import { describe, expect, it } from 'vitest';
import { columnAt, linePath, lonePoints, niceMax, scale, spread, stacked, ticks } from './plot';

describe('scales', () => {
  it('end at numbers that read well', () => {
    expect([0, 0.3, 1, 7, 11, 21, 260, 4_999].map(niceMax)).toEqual([1, 0.5, 1, 10, 20, 25, 500, 5_000]);
  });

  it('have few ticks, from zero to past the largest value', () => {
    expect(ticks(1, 4)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(ticks(570, 4)).toEqual([0, 200, 400, 600]);
    expect(ticks(5, 5)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(ticks(0, 4)).toEqual([0, 1]);
  });

  it('count things in whole steps', () => {
    expect(ticks(9, 4, true)).toEqual([0, 3, 6, 9]);
    expect(ticks(2, 4, true)).toEqual([0, 1, 2]);
    expect(ticks(34, 4, true)).toEqual([0, 10, 20, 30, 40]);
  });

  it('map both ends, and do not divide by nothing', () => {
    const y = scale(0, 10, 100, 0);
    expect([y(0), y(5), y(10)]).toEqual([100, 50, 0]);
    expect(scale(3, 3, 7, 9)(3)).toBe(7);
  });
});

describe('shapes', () => {
  it('leave a gap where nothing is known, and a dot for a lone value', () => {
    expect(linePath([{ x: 0, y: 1 }, { x: 1, y: 2.26 }, { x: 2, y: null }, { x: 3, y: 4 }])).toBe('M0 1L1 2.3M3 4h0');
    expect(linePath([])).toBe('');
    expect(lonePoints([{ x: 0, y: 1 }, { x: 1, y: 2.26 }, { x: 2, y: null }, { x: 3, y: 4 }])).toEqual([{ x: 3, y: 4 }]);
  });

  it('stand on each other', () => {
    const y = scale(0, 10, 100, 0);
    expect(stacked([{ key: '200', value: 5 }, { key: '410', value: 0 }, { key: '500', value: 1 }], y)).toEqual([
      { key: '200', y: 50, height: 50 },
      { key: '500', y: 40, height: 10 },
    ]);
  });

  it('are found under the pointer', () => {
    expect([9, 10, 59, 60, 110, 111].map((x) => columnAt(x, 10, 110, 2))).toEqual([null, 0, 0, 1, 1, null]);
    expect(columnAt(0, 0, 10, 0)).toBeNull();
    expect(spread(24, 6)).toEqual([0, 4, 8, 12, 16, 20]);
    expect(spread(2, 6)).toEqual([0, 1]);
    expect(spread(48, 5, [2, 4, 6, 8, 12, 24], 24)).toEqual([0, 12, 24, 36]);
    expect(spread(42, 7, [6, 12], 3)).toEqual([3, 9, 15, 21, 27, 33, 39]);
  });
});
