// The geometry of plots: scales, ticks and paths, as numbers and strings. Pure.

/** A bound that reads well: 1, 2, 2.5 or 5 times a power of ten, and not below `value`. */
export function niceMax(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** From zero to at least `value`, in at most `count` equal steps that read well; whole ones for things that are counted. */
export function ticks(value: number, count: number, whole = false): number[] {
  const fine = niceMax(value / count);
  const step = whole && !Number.isInteger(fine) ? Math.ceil(fine) : fine;
  const steps = Math.max(Math.ceil((value / step) * (1 - 1e-9)), 1);
  return Array.from({ length: steps + 1 }, (_, index) => index * step);
}

/** Maps `[from, to]` to `[start, end]`; a range without extent maps to its start. */
export function scale(from: number, to: number, start: number, end: number): (value: number) => number {
  const factor = to === from ? 0 : (end - start) / (to - from);
  return (value) => start + (value - from) * factor;
}

export interface Point {
  x: number;
  /** `null` where nothing is known: the line has a gap. */
  y: number | null;
}

const short = (value: number): string => String(Math.round(value * 10) / 10);

/** An SVG path through the points. A point between two gaps becomes a dot, drawn by its round cap. */
export function linePath(points: readonly Point[]): string {
  let path = '';
  let drawing = false;
  points.forEach(({ x, y }, index) => {
    if (y === null) {
      drawing = false;
      return;
    }
    const alone = !drawing && (points[index + 1]?.y ?? null) === null;
    path += `${drawing ? 'L' : 'M'}${short(x)} ${short(y)}${alone ? 'h0' : ''}`;
    drawing = true;
  });
  return path;
}

/** Points between two gaps: too little of a line to be seen. */
export function lonePoints(points: readonly Point[]): { x: number; y: number }[] {
  const known = (index: number): boolean => (points[index]?.y ?? null) !== null;
  return points.flatMap(({ x, y }, index) => (y === null || known(index - 1) || known(index + 1) ? [] : [{ x, y }]));
}

export interface Block {
  key: string;
  y: number;
  height: number;
}

/** Values on top of each other, from the bottom up; nothing is drawn for zero. */
export function stacked(values: readonly { key: string; value: number }[], y: (value: number) => number): Block[] {
  const blocks: Block[] = [];
  let sum = 0;
  for (const { key, value } of values) {
    if (value <= 0) continue;
    const bottom = y(sum);
    sum += value;
    blocks.push({ key, y: y(sum), height: bottom - y(sum) });
  }
  return blocks;
}

/** Which of `count` columns a pointer at `x` is over, inside `[start, end]`; `null` outside. */
export function columnAt(x: number, start: number, end: number, count: number): number | null {
  if (count === 0 || x < start || x > end) return null;
  return Math.min(Math.floor(((x - start) / (end - start)) * count), count - 1);
}

/**
 * At most `wanted` of the numbers below `count`, evenly apart: by the first of `steps` that is long enough,
 * and through `origin`.
 */
export function spread(count: number, wanted: number, steps: readonly number[] = [], origin = 0): number[] {
  const least = Math.max(Math.ceil(count / Math.max(wanted, 1)), 1);
  const step = steps.find((candidate) => candidate >= least) ?? least;
  const first = origin % step;
  return Array.from({ length: Math.max(Math.ceil((count - first) / step), 0) }, (_, index) => first + index * step);
}
