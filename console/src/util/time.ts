// Times as people say them. Pure: `now` is an argument, so is the language's clock.

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `JUST_NOW_MS` old or younger reads "just now". A clock that is a little wrong must not show the future. */
const JUST_NOW_MS = MINUTE_MS;

const clockFormat = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const secondsFormat = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const dayFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const dayOfYearFormat = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', year: 'numeric' });
const longDayFormat = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const longDayOfYearFormat = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const fullFormat = new Intl.DateTimeFormat('en', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** Midnight of the day, in the viewer's zone. */
function dayStart(time: Date): Date {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate());
}

/** Whole days from `time`'s day to `now`'s day; negative for days to come. */
export function daysBetween(time: Date, now: Date): number {
  return Math.round((dayStart(now).getTime() - dayStart(time).getTime()) / DAY_MS);
}

export function isSameDay(a: Date, b: Date): boolean {
  return daysBetween(a, b) === 0;
}

/** `14:03`. */
export function clockTime(time: Date): string {
  return clockFormat.format(time);
}

/** `just now`, `14:03`, `Yesterday 14:03`, `3 Mar 14:03`, `3 Mar 2024 14:03`. */
export function humanTime(time: Date, now: Date): string {
  const age = now.getTime() - time.getTime();
  if (Math.abs(age) < JUST_NOW_MS) return 'just now';
  const days = daysBetween(time, now);
  if (days === 0) return clockTime(time);
  if (days === 1) return `Yesterday ${clockTime(time)}`;
  const format = time.getFullYear() === now.getFullYear() ? dayFormat : dayOfYearFormat;
  return `${format.format(time)} ${clockTime(time)}`;
}

/** For a list's narrow column: `now`, `14:03`, `Yesterday`, `Mar 3`. */
export function shortTime(time: Date, now: Date): string {
  if (Math.abs(now.getTime() - time.getTime()) < JUST_NOW_MS) return 'now';
  const days = daysBetween(time, now);
  if (days === 0) return clockTime(time);
  if (days === 1) return 'Yesterday';
  return (time.getFullYear() === now.getFullYear() ? dayFormat : dayOfYearFormat).format(time);
}

/** The heading of a day: `Today`, `Yesterday`, `Tuesday, March 3`. */
export function dayName(time: Date, now: Date): string {
  const days = daysBetween(time, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days === -1) return 'Tomorrow';
  return (time.getFullYear() === now.getFullYear() ? longDayFormat : longDayOfYearFormat).format(time);
}

/** With seconds, for a log: `14:03:07`, `Yesterday 14:03:07`, `Mar 3 14:03:07`. */
export function exactTime(time: Date, now: Date): string {
  const days = daysBetween(time, now);
  const seconds = secondsFormat.format(time);
  if (days === 0) return seconds;
  if (days === 1) return `Yesterday ${seconds}`;
  return `${(time.getFullYear() === now.getFullYear() ? dayFormat : dayOfYearFormat).format(time)} ${seconds}`;
}

/** How long until `time`: `now`, `in 5 s`, `in 2 min`, `in 3 h`, `in 2 days`. Never sooner than it says. */
export function untilTime(time: Date, now: Date): string {
  const left = time.getTime() - now.getTime();
  if (left <= 0) return 'now';
  if (left <= 90 * SECOND_MS) return `in ${Math.ceil(left / SECOND_MS)} s`;
  if (left <= 90 * MINUTE_MS) return `in ${Math.ceil(left / MINUTE_MS)} min`;
  if (left <= 2 * DAY_MS) return `in ${Math.ceil(left / HOUR_MS)} h`;
  return `in ${Math.ceil(left / DAY_MS)} days`;
}

/** Everything, for a tooltip. */
export function absoluteTime(time: Date): string {
  return fullFormat.format(time);
}

/** A wire timestamp, or `null` when it is none. */
export function timeOf(value: string | null | undefined): Date | null {
  if (typeof value !== 'string') return null;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** When an event takes place: `All day`, `14:00 – 15:30`, `Mar 3 – 5, all day`. */
export function eventSpan(start: Date, end: Date, allDay: boolean): string {
  const oneDay = isSameDay(start, end) || (allDay && end.getTime() - start.getTime() <= DAY_MS);
  if (allDay) return oneDay ? 'All day' : `${dayFormat.format(start)} – ${dayFormat.format(end)}, all day`;
  if (oneDay) return start.getTime() === end.getTime() ? clockTime(start) : `${clockTime(start)} – ${clockTime(end)}`;
  return `${dayFormat.format(start)} ${clockTime(start)} – ${dayFormat.format(end)} ${clockTime(end)}`;
}
