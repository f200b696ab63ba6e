import { describe, expect, it } from 'vitest';
import { bytesText, compactText, counted, durationInput, durationOf, durationText, percentText } from './numbers';

describe('numbers', () => {
  it('never round a failure away, nor a success', () => {
    expect([0, 0.000_2, 0.025, 0.5, 0.999_9, 1].map(percentText)).toEqual(['0%', '<0.1%', '2.5%', '50%', '>99.9%', '100%']);
  });

  it('say how long in units that fit', () => {
    expect([0.4, 250, 1_500, 300_000, 5_400_000, 7 * 86_400_000, 90_061_000].map(durationText)).toEqual([
      '0.4 ms', '250 ms', '1.5 s', '5 min', '1 h 30 min', '7 days', '1 day 1 h',
    ]);
  });

  it('read durations as people write them, and write them so that they can be read', () => {
    expect(['5s', ' 30 min', '1.5h', '2d', '250ms', '5M'].map(durationOf)).toEqual([5_000, 1_800_000, 5_400_000, 172_800_000, 250, 300_000]);
    expect(['', '5', 's', '-1s', '1 week'].map(durationOf)).toEqual([null, null, null, null, null]);
    expect([86_400_000, 604_800_000, 90_000].map(durationInput)).toEqual(['24h', '7d', '90s']);
    for (const ms of [1, 250, 5_000, 90_000, 300_000, 86_400_000]) expect(durationOf(durationInput(ms))).toBe(ms);
  });

  it('count', () => {
    expect([counted(1, 'delivery', 'deliveries'), counted(1_284, 'event')]).toEqual(['1 delivery', '1,284 events']);
    expect([9_999, 12_840].map(compactText)).toEqual(['9,999', '12.8K']);
    expect([812, 1_229, 5_242_880].map(bytesText)).toEqual(['812 B', '1.2 KiB', '5 MiB']);
  });
});
