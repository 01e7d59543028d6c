// The filters of the address. Their names and their meaning are those of the API, for page, API and export alike.

import { computed } from '@preact/signals';
import type { Filter } from '../api';
import type { RawFilter } from '../text/copy';
import { change, place } from './url';

export type FilterKey = Exclude<keyof Filter, 'start_time' | 'end_time'>;

export const FILTERS: readonly FilterKey[] = [
  ...(['task_id', 'status', 'success', 'lease_owner', 'error', 'error_group'] as const),
  ...(['attempt_min', 'duration_min', 'duration_max'] as const),
];

/** The filters as they stand in the address; the API checks them. */
export const chosenFilters = computed<RawFilter>(() => {
  const { query } = place.value;
  return Object.fromEntries(FILTERS.flatMap((key) => (query[key] ? [[key, query[key]]] : [])));
});

/** The task whose page is shown; null on other pages. */
export const taskOfPage = computed(() => /^\/ui\/tasks\/([0-9a-f-]{36})$/i.exec(place.value.path)?.[1] ?? null);

/** The filters of the screen: those that were chosen, and the task of its page. */
export const filters = computed<RawFilter>(() =>
  taskOfPage.value ? { ...chosenFilters.value, task_id: taskOfPage.value } : chosenFilters.value,
);

/** Sets a filter, or removes it. What was selected within the runs is gone with it. */
export const filterBy = (key: FilterKey, value: string | undefined): void =>
  change({ [key]: value || undefined, brush: undefined, sel: undefined });

export const clearFilters = (): void =>
  change({ ...Object.fromEntries(FILTERS.map((key) => [key, undefined])), brush: undefined, sel: undefined });

/** Failed runs only, or all again. */
export function toggleFailed(): void {
  filterBy('status', filters.peek().status === 'failed' ? undefined : 'failed');
}
