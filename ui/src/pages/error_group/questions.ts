// What the page of a group of errors asks: the group, its runs over time, what is different about them, and their list.

import { computed } from '@preact/signals';
import { bucketsOf } from '../../chart/bars';
import type { Asked } from '../../net/ask';
import type { Screen } from '../../net/screen';
import { place } from '../../state/url';
import { zone } from '../../state/zone';
import type { RawFilter } from '../../text/copy';
import { millis } from '../../text/time';
import { fields } from '../runs/chosen';
import { newerOf, order } from '../runs/questions';
import { asked, selected } from '../runs/selection';

const BUCKETS = 120;
const LONGEST = 31 * 864e5; // milliseconds that a breakdown looks at

/** The group in the address of this page; null while another page is shown. */
export const group = computed(() => {
  const [, , page, id] = place.value.path.split('/');
  return page === 'errors' && id ? decodeURIComponent(id) : null;
});

/** A filter for the runs of the group. */
const ofGroup = (filter: RawFilter): RawFilter | null => (group.value ? { ...filter, error_group: group.value } : null);

/** The question of the list, without its page. */
export const listed = computed<Asked<'/runs'> | null>(() => {
  const filter = ofGroup(selected.value);
  const by = order.value === 'started' ? undefined : order.value;
  return filter && { ...filter, order: by, include_errors: true, fields: fields.value };
});

export const tooLong = computed(
  () => millis(selected.value.end_time ?? '') - millis(selected.value.start_time ?? '') > LONGEST,
);

export function begin(screen: Screen) {
  const detail = screen.ask(
    '/errors/{group}',
    () => ofGroup(selected.value),
    () => ({ group: group.value ?? '' }),
  );
  const histogram = screen.ask('/stats/histogram', () => {
    const filter = ofGroup(asked.value);
    return filter && { ...filter, buckets: BUCKETS, tz: zone.value };
  });
  const breakdown = screen.ask('/stats/breakdown', () => {
    const filter = ofGroup(selected.value);
    return filter && !tooLong.value ? { ...filter, by: 'task,owner,attempt,hour,duration' } : null;
  });
  const newer = newerOf(screen, () => ofGroup(asked.value));
  const buckets = computed(() => histogram.answer.value && bucketsOf(histogram.answer.value.body));
  const middle = computed(() => null);
  return { detail, histogram, breakdown, newer, buckets, middle };
}

export type Questions = ReturnType<typeof begin>;
