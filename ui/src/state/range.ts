// Windows of time: presets, typed text, and how a window moves. All times are milliseconds since 1970.

export interface Window {
  start: number;
  end: number;
}

/** What was asked for. All but `between` move on with the time, so they stay words in the address. */
export type Range =
  | { kind: 'last'; ms: number; text: string }
  | { kind: 'day'; back: number; text: string }
  | { kind: 'since'; clock: string; text: string }
  | { kind: 'between'; start: number; end: number };

export const PRESETS = ['15m', '1h', '3h', '6h', '12h', '24h', '2d', '7d', '30d', '90d', '365d'] as const;
export const DEFAULT_RANGE = '24h';

const UNITS: Record<string, number> = { m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const LONGEST = 3650 * 864e5; // what the API takes
const SHORTEST = 1000;

/** A range from text such as 3h, 7 days, yesterday, since 06:00, 2026-10-15..2026-10-16; null for other text.
 *
 *  Days and times without an offset are of `zone`. A last day belongs to the window, a last time does not.
 */
export function parseRange(typed: string, zone: string): Range | null {
  const text = typed
    .trim()
    .toLowerCase()
    .replace(/^(the )?(last|past) /, '');
  const last = /^(\d+(?:\.\d+)?) ?(m|h|d|w|mins?|minutes?|hours?|days?|weeks?)$/.exec(text);
  if (last) return lastOf(Number(last[1]), last[2]![0]!);
  if (text === 'today' || text === 'yesterday') return { kind: 'day', back: text === 'today' ? 0 : 1, text };
  const since = /^since ([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (since) {
    const clock = `${since[1]!.padStart(2, '0')}:${since[2]}`;
    return { kind: 'since', clock, text: `since ${clock}` };
  }
  const ends = typed.trim().split(/\s*(?:\.\.|–|\/| to )\s*/);
  if (ends.length > 2) return null;
  const start = parseTime(ends[0]!, zone, false);
  const end = parseTime(ends[1] ?? ends[0]!, zone, true);
  return start !== null && end !== null && start < end ? between(start, end) : null;
}

function lastOf(n: number, unit: string): Range | null {
  const ms = n * UNITS[unit]!;
  return ms >= SHORTEST && ms <= LONGEST ? { kind: 'last', ms, text: `${n}${unit}` } : null;
}

/** A range between two times, no longer than the API takes. */
export const between = (start: number, end: number): Range => ({
  kind: 'between',
  start: Math.round(Math.max(start, end - LONGEST)),
  end: Math.round(end),
});

/** Milliseconds of a day or a time; of a day its start, or the start of the next one. */
function parseTime(text: string, zone: string, end: boolean): number | null {
  const day = /^(\d{4}-\d\d-\d\d)$/.exec(text);
  const local = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)$/i.exec(text);
  try {
    if (day) {
      const date = Temporal.PlainDate.from(day[1]!);
      return startOfDay(end ? date.add({ days: 1 }) : date, zone);
    }
    if (local) return Temporal.PlainDateTime.from(`${local[1]}T${local[2]}`).toZonedDateTime(zone).epochMilliseconds;
    return /[zZ]|[+-]\d\d:?\d\d$/.test(text) ? Temporal.Instant.from(text).epochMilliseconds : null;
  } catch {
    return null;
  }
}

const startOfDay = (date: Temporal.PlainDate, zone: string): number =>
  date.toZonedDateTime({ timeZone: zone }).epochMilliseconds;

/** The window that a range means now. */
export function resolve(range: Range, now: number, zone: string): Window {
  if (range.kind === 'last') return { start: now - range.ms, end: now };
  if (range.kind === 'between') return { start: range.start, end: range.end };
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone);
  if (range.kind === 'since') {
    const at = today.toPlainDate().toPlainDateTime(range.clock).toZonedDateTime(zone).epochMilliseconds;
    const start = at < now ? at : today.toPlainDate().subtract({ days: 1 }).toPlainDateTime(range.clock);
    return { start: typeof start === 'number' ? start : start.toZonedDateTime(zone).epochMilliseconds, end: now };
  }
  const date = today.toPlainDate().subtract({ days: range.back });
  const start = startOfDay(date, zone);
  return range.back
    ? { start, end: startOfDay(date.add({ days: 1 }), zone) }
    : { start, end: Math.max(now, start + 1000) };
}

/** The parameters of the address for a range; the default one needs none. */
export function rangeQuery(range: Range): { range: string | undefined; start_time?: string; end_time?: string } {
  const none = { start_time: undefined, end_time: undefined } as unknown as { start_time?: string; end_time?: string };
  if (range.kind !== 'between') return { ...none, range: range.text === DEFAULT_RANGE ? undefined : range.text };
  return { range: undefined, start_time: isoOf(range.start), end_time: isoOf(range.end) };
}

const isoOf = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The window before (-1) or after (1), as a range. It does not reach beyond now, unless the window did. */
export function shifted(window: Window, by: -1 | 1, now: number): Range {
  const length = window.end - window.start;
  const end = Math.min(window.end + by * length, Math.max(now, window.end));
  return between(end - length, end);
}

/** A window twice as long; a range that ends now still does. */
export function doubled(range: Range, window: Window, now: number): Range {
  const length = Math.min(2 * (window.end - window.start), LONGEST);
  if (range.kind === 'last') {
    const minutes = length / 6e4;
    const [n, unit] =
      minutes % 1440 === 0 ? [minutes / 1440, 'd'] : minutes % 60 === 0 ? [minutes / 60, 'h'] : [minutes, 'm'];
    return { kind: 'last', ms: length, text: `${n}${unit}` };
  }
  const end = Math.min(window.end + length / 4, Math.max(now, window.end));
  return between(end - length, end);
}
