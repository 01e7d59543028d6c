// What the page Errors asks: the groups of the window or of the selection, and the greatest of them over time.

import { computed } from '@preact/signals';
import type { ErrorsQuery } from '../../api';
import { stackOf } from '../../chart/stack';
import type { Screen } from '../../net/screen';
import { filters } from '../../state/filters';
import { place } from '../../state/url';
import { zone } from '../../state/zone';
import { newerOf } from '../runs/questions';
import { asked, brush, selected } from '../runs/selection';

const BUCKETS = 120;
export const MOST = 500; // groups of an answer
const PAINTED = 10; // groups that a histogram has series of

export const SORTS = {
  count: 'most runs',
  last: 'latest',
  first: 'first seen last',
  new: 'new ones',
  tasks: 'most tasks',
} as const;
type Sort = NonNullable<ErrorsQuery['sort']>;

export const sort = computed<Sort>(() => {
  const text = place.value.query['sort'] ?? '';
  return text in SORTS ? (text as Sort) : 'count';
});

/** The text that groups are searched for. */
export const words = computed(() => place.value.query['q'] ?? '');

/** Whether the filter of the status leaves out what this page is about. */
export const withoutFailed = computed(() => {
  const { status } = filters.value;
  return status !== undefined && !status.split(',').includes('failed');
});

export function begin(screen: Screen) {
  const groups = screen.ask('/errors', () => ({
    ...selected.value,
    sort: sort.value === 'count' ? undefined : sort.value,
    q: words.value || undefined,
    limit: MOST,
  }));
  // The groups of the picture need not be among those that are found in the list.
  const greatest = screen.ask('/errors', () =>
    words.value || brush.value ? { ...asked.value, limit: PAINTED } : null,
  );
  const histogram = screen.ask('/stats/histogram', () =>
    withoutFailed.value
      ? null
      : { ...asked.value, status: 'failed', by: 'error_group', buckets: BUCKETS, tz: zone.value },
  );
  const stack = computed(() => histogram.answer.value && stackOf(histogram.answer.value.body));
  const known = computed(() => {
    const answers = [groups.answer.value, greatest.answer.value];
    return new Map(answers.flatMap((answer) => answer?.body.groups ?? []).map((group) => [group.id, group]));
  });
  const newer = newerOf(screen, () => (withoutFailed.value ? null : { ...asked.value, status: 'failed' }));
  return { groups, histogram, stack, known, newer };
}

export type Questions = ReturnType<typeof begin>;
