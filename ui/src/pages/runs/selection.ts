// The brush of the Runs page: it is in the address, and what it selects are the runs that everything else shows.

import { computed } from '@preact/signals';
import type { Brush } from '../../chart/brush';
import { useShortcuts } from '../../shell/keys';
import { filters } from '../../state/filters';
import { between } from '../../state/range';
import { change, place } from '../../state/url';
import { asParameters, screenWindow, show } from '../../state/window';
import type { RawFilter } from '../../text/copy';
import { iso, millis } from '../../text/time';

/** `start..end`, and `start..end..low..high` where durations are selected as well. */
export function parseBrush(text: string | undefined): Brush | null {
  const [start = '', end = '', low, high] = (text ?? '').split('..');
  const times = { from: millis(start), to: millis(end) };
  if (!(times.from < times.to)) return null;
  if (low === undefined || high === undefined) return times;
  return Number(low) < Number(high) ? { ...times, low: Number(low), high: Number(high) } : null;
}

/** Seconds to the microsecond, which durations are stored to. */
const micros = (seconds: number): string => String(Math.round(seconds * 1e6) / 1e6);

export function writeBrush({ from, to, low, high }: Brush): string {
  const times = [iso(from), iso(to)];
  return (low === undefined || high === undefined ? times : [...times, micros(low), micros(high)]).join('..');
}

export const brush = computed(() => parseBrush(place.value.query['brush']));

/** The window and the filters of the charts. */
export const asked = computed<RawFilter>(() => ({ ...filters.value, ...asParameters(screenWindow.value) }));

/** The window and the filters of the selection, or of the charts without one. */
export const selected = computed<RawFilter>(() => {
  const part = brush.value;
  if (!part) return asked.value;
  const times = asParameters({ start: part.from, end: part.to });
  return { ...filters.value, ...times, ...durations(part) };
});

/** Durations as filters. Theirs include both ends, a row does not include its last microsecond. */
function durations({ low, high }: Brush): RawFilter {
  if (low === undefined || high === undefined) return {};
  const least = Math.max(low, Number(filters.value.duration_min ?? 0));
  const most = Math.min((Math.ceil(high * 1e6 - 1e-6) - 1) / 1e6, Number(filters.value.duration_max ?? Infinity));
  return { duration_min: micros(Math.ceil(least * 1e6 - 1e-6) / 1e6), duration_max: micros(most) };
}

export const select = (part: Brush | null): void =>
  change({ brush: part ? writeBrush(part) : undefined, sel: undefined });

/** Shows the selected times as the window; selected durations become filters. */
export function zoom(part: Brush | null): void {
  if (!part) return;
  show(between(part.from, part.to));
  if (part.low !== undefined) change(durations(part), 'replace');
}

/** The keys for a selection in a chart; `remove` is what Escape does. */
export function useSelectionKeys(remove: () => void = () => select(null), does = 'Remove the selection'): void {
  useShortcuts([
    { keys: 'z', does: 'Zoom to what is selected in a chart', run: () => zoom(brush.peek()) },
    { keys: 'Escape', does, run: remove },
  ]);
}
