// The window before, where the answer about the tasks has its figures already.

import { chosenFilters } from '../../state/filters';
import type { Before } from '../runs/head';
import type { Fleet } from './fleet';

/** Whether the runs of the screen are all of these tasks': no filter leaves out some. */
export const isWhole = (): boolean => Object.keys(chosenFilters.value).length === 0;

/** The runs of the window before, of all tasks or of one; null where that was before the first run, or is not known. */
export function beforeOf(fleet: Fleet, task?: string): Before | null {
  const answer = fleet.counts[0]!.answer.value?.body;
  const rows = fleet.rows.value ?? [];
  if (!isWhole() || !answer?.previous_complete || !fleet.current.value || rows.length < answer.total_tasks) return null;
  const of = task ? rows.filter(({ id }) => id === task) : rows;
  const sum = (key: 'runsBefore' | 'failedBefore'): number => of.reduce((total, row) => total + (row[key] ?? 0), 0);
  return { total: sum('runsBefore'), failed: sum('failedBefore') };
}
