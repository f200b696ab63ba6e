// Numbers as people read them. Pure.

import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** `1,284`. */
export function countText(value: number): string {
  return whole.format(value);
}

/** For narrow places: `1.3K`. */
export function compactText(value: number): string {
  return value < 10_000 ? whole.format(value) : compact.format(value);
}

/** What is known as `text` has it, and a dash for what is not. */
export function known<T>(value: T | null | undefined, text: (value: T) => string): string {
  return value === null || value === undefined ? '–' : text(value);
}

/** `3 deliveries`, `1 delivery`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${countText(value)} ${value === 1 ? one : many}`;
}

/** A share from 0 to 1: `0%`, `<0.1%`, `2.5%`, `100%`. Never says all or nothing of what is only nearly so. */
export function percentText(share: number): string {
  const percent = share * 100;
  if (percent <= 0) return '0%';
  if (percent < 0.1) return '<0.1%';
  if (percent < 100 && percent > 99.9) return '>99.9%';
  return `${fine.format(percent)}%`;
}

/** A duration in its largest fitting units: `250 ms`, `1.5 s`, `5 min`, `1 h 30 min`, `7 days`. */
export function durationText(ms: number): string {
  if (ms < SECOND_MS) return `${fine.format(ms)} ms`;
  if (ms < MINUTE_MS) return `${fine.format(ms / SECOND_MS)} s`;
  const units: [number, string][] = [[DAY_MS, 'day'], [HOUR_MS, 'h'], [MINUTE_MS, 'min'], [SECOND_MS, 's']];
  const largest = units.findIndex(([size]) => ms >= size);
  const [size, name] = units[largest] ?? [SECOND_MS, 's'];
  const count = Math.floor(ms / size);
  const rest = Math.floor((ms - count * size) / (units[largest + 1]?.[0] ?? SECOND_MS));
  const said = `${count} ${name}${name === 'day' && count !== 1 ? 's' : ''}`;
  return rest === 0 ? said : `${said} ${rest} ${units[largest + 1]?.[1] ?? 's'}`;
}

const durationUnits: Record<string, number> = { ms: 1, s: SECOND_MS, m: MINUTE_MS, min: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** What people write for a duration: `5s`, `30 min`, `1.5h`, `2d`; `null` when it is none. */
export function durationOf(text: string): number | null {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)\s*$/i.exec(text);
  const unit = durationUnits[(found?.[2] ?? '').toLowerCase()];
  return found?.[1] === undefined || unit === undefined ? null : Math.round(Number(found[1]) * unit);
}

/** A duration as `durationOf` reads it: `5s`, `30m`, `24h`, `7d`. */
export function durationInput(ms: number): string {
  const units: [number, string][] = [[HOUR_MS, 'h'], [MINUTE_MS, 'm'], [SECOND_MS, 's']];
  // A day is 24h, as schedules say it; more are days.
  if (ms > DAY_MS && ms % DAY_MS === 0) units.unshift([DAY_MS, 'd']);
  const unit = units.find(([size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[0]}${unit[1]}`;
}

/** `812 B`, `1.2 KiB`. */
export function bytesText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_048_576) return `${fine.format(bytes / 1_024)} KiB`;
  if (bytes < 1_073_741_824) return `${fine.format(bytes / 1_048_576)} MiB`;
  return `${fine.format(bytes / 1_073_741_824)} GiB`;
}
