// What the page Workers asks: all lease owners of the window; of a marked one its runs over time, what is different about
// its failures, and what its errors say.

import { computed } from '@preact/signals';
import { bucketsOf } from '../../chart/bars';
import type { Screen } from '../../net/screen';
import { place } from '../../state/url';
import { asParameters, now, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { newerOf } from '../runs/questions';
import { found, rowsOf, sorted, sortingOf } from './rows';

const BUCKETS = 60;
const LONGEST = 31 * 864e5; // milliseconds over which the runs of one worker are found

/** The marked worker. */
export const marked = computed(() => place.value.query['sel'] ?? null);

/** The text that names are searched for. */
export const words = computed(() => place.value.query['q'] ?? '');
export const sorting = computed(() => sortingOf(place.value.query['sort']));

export const tooLong = computed(() => screenWindow.value.end - screenWindow.value.start > LONGEST);

export function begin(screen: Screen) {
  const owners = screen.ask('/stats/owners', () => asParameters(screenWindow.value));
  const ofMarked = (failed: boolean) => {
    if (marked.value === null || tooLong.value) return null;
    const filter = { ...asParameters(screenWindow.value), lease_owner: marked.value };
    return failed ? { ...filter, status: 'failed' } : filter;
  };
  const histogram = screen.ask('/stats/histogram', () => {
    const filter = ofMarked(false);
    return filter && { ...filter, buckets: BUCKETS, tz: zone.value };
  });
  const breakdown = screen.ask('/stats/breakdown', () => {
    const filter = ofMarked(true);
    return filter && { ...filter, by: 'task,error_group,attempt,hour,duration' };
  });
  const errors = screen.ask('/errors', () => ofMarked(false));
  const all = computed(() => owners.answer.value && rowsOf(owners.answer.value.body));
  const shown = computed(() => all.value && sorted(found(all.value, words.value), sorting.value));
  const buckets = computed(() => histogram.answer.value && bucketsOf(histogram.answer.value.body));
  const newer = newerOf(
    screen,
    () => ({}),
    () => now.value,
  );
  return { owners, histogram, breakdown, errors, all, shown, buckets, newer };
}

export type Questions = ReturnType<typeof begin>;
