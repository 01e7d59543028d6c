// What the Runs page asks: four questions, two more about a selection, and the rows of the list.

import { computed } from '@preact/signals';
import type { Durations, Histogram, RunPage } from '../../api';
import { bucketsOf } from '../../chart/bars';
import { byDuration, densityOf } from '../../chart/density';
import { quantile, ranked } from '../../chart/quantile';
import type { Asked } from '../../net/ask';
import type { Panel, Screen } from '../../net/screen';
import { held, present } from '../../state/live';
import { place } from '../../state/url';
import { asParameters, before, now, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import type { RawFilter } from '../../text/copy';
import { sum } from '../../text/number';
import { fields } from './chosen';
import { difference } from './difference';
import { asked, brush, selected } from './selection';

export const BUCKETS = 180; // at most; 7 days are then drawn by the hour

export const order = computed(() => (place.value.query['order'] === 'duration' ? 'duration' : 'started'));

/** The question of the list, without its page. */
export const listed = computed<Asked<'/runs'>>(() => ({
  ...selected.value,
  order: order.value === 'started' ? undefined : order.value,
  include_errors: true,
  fields: fields.value,
}));

/** While the list is held: how many runs there would be now. It must not make the others be asked again. */
export const newerOf = (
  screen: Screen,
  filter: () => RawFilter | null,
  since = (): number => screenWindow.value.start,
): Panel<RunPage> =>
  screen.aside().ask('/runs', () => {
    const of = filter();
    if (!of || !held.value || present.value <= now.value || brush.value) return null;
    return { ...of, ...asParameters({ start: since(), end: present.value }), limit: 1, fields: 'id' };
  });

/** How many runs of a histogram failed. */
export const failedOf = ({ series }: Histogram): number => sum(series.find(({ key }) => key === 'failed')?.runs ?? []);

interface Left {
  /** Whether the figures of the window before are known. */
  before?(): boolean;
  /** Whether durations are not shown yet. */
  durations?(): boolean;
}

/** Begins the questions of a screen, but for what can be left out. */
export function begin(screen: Screen, out: Left = {}) {
  const histogram = screen.ask('/stats/histogram', () => ({ ...asked.value, buckets: BUCKETS, tz: zone.value }));
  const durations = screen.ask('/stats/durations', () =>
    out.durations?.() ? null : { ...asked.value, columns: BUCKETS },
  );
  const previous = screen.ask('/stats/histogram', () => {
    if (out.before?.()) return null;
    const window = before(screenWindow.value);
    return { ...asked.value, ...asParameters(window), buckets: BUCKETS, tz: zone.value };
  });
  const part = screen.ask('/stats/durations', () =>
    brush.value ? { ...selected.value, columns: 1, points: 0 } : null,
  );
  const what = screen.ask('/stats/breakdown', difference);
  // What the errors of the selection are called.
  const errorNames = screen.ask('/errors', () => {
    const groups = what.answer.value?.body.by.error_group ?? [];
    return groups.length ? { ...selected.value, limit: 50 } : null;
  });
  const newer = newerOf(screen, () => asked.value);
  const buckets = computed(() => histogram.shown.value && bucketsOf(histogram.shown.value));
  const density = computed(() => durations.shown.value && densityOf(durations.shown.value));
  const middle = computed(() => durations.shown.value && percentiles(durations.shown.value));
  const failed = computed(() => histogram.answer.value && failedOf(histogram.answer.value.body));
  return {
    histogram,
    failed,
    durations,
    previous,
    part,
    difference: what,
    errorNames,
    newer,
    buckets,
    density,
    middle,
  };
}

export type Questions = ReturnType<typeof begin>;

export interface Percentiles {
  p50: number | null;
  p95: number | null;
  /** How near they are; null where they are exact. */
  within: string | null;
}

/** Percentiles of all runs of a density: of a single column its own, which are nearer than those of rows. */
export function percentiles(answer: Durations): Percentiles {
  if (answer.points) {
    const sorted = [...answer.points.seconds].sort((a, b) => a - b);
    return { p50: ranked(sorted, 0.5), p95: ranked(sorted, 0.95), within: null };
  }
  const [p50, p95] = [answer.p50_seconds[0] ?? null, answer.p95_seconds[0] ?? null];
  if (answer.columns === 1) return { p50, p95, within: '1 %' };
  const { success, failed } = byDuration(densityOf(answer));
  const counts = success.map((n, row) => n + failed[row]!);
  const at = (share: number): number | null => quantile(answer.row_edges_seconds, counts, share);
  return { p50: at(0.5), p95: at(0.95), within: '17 %' };
}
