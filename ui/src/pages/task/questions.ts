// What the page of a task asks. The runs' questions are those of the Runs page: the task is a filter of this screen.

import { computed, signal } from '@preact/signals';
import type { Screen } from '../../net/screen';
import { taskOfPage } from '../../state/filters';
import { asParameters, before, screenWindow } from '../../state/window';
import { iso } from '../../text/time';
import { BUCKETS, begin as beginRuns } from '../runs/questions';
import { asked, selected } from '../runs/selection';
import { isWhole } from '../tasks/before';
import { fleetOf } from '../tasks/fleet';
import { celled } from './celled';

const DAY = 86_400_000;
const LAST = 20; // runs that are squares
const COLUMNS = 30; // of the lines, at most, where runs are known one by one: a month by days
const YEAR = 53 * 7; // days of the calendar
const FORTNIGHT = 14 * DAY; // of the hours: two of each day of the week
const SCANNED = 31 * DAY; // what a breakdown may look at
const FIELDS = 'id,task_id,started_at,finished_at,leased_until,success,created_at';

/** Whether the window is too long for the question what failures have in common. */
export const tooLong = computed(() => screenWindow.value.end - screenWindow.value.start > SCANNED);

/** Begins the questions of the page of a task. */
export function begin(screen: Screen) {
  // Empty once another page is on its way: then nothing is asked any more.
  const task = computed(() => taskOfPage.value?.toLowerCase() ?? '');
  // Parts that are asked for when they come into view.
  const seen = { before: signal(false), heat: signal(false), causes: signal(false), list: signal(false) };
  const runs = beginRuns(screen, { before: isWhole });
  const fleet = fleetOf(screen, 0, () => task.value || null);
  const last = screen.ask('/runs', () => {
    if (!task.value) return null;
    return { task_id: task.value, end_time: iso(screenWindow.value.end), limit: LAST, fields: FIELDS };
  });
  const trend = computed(() => {
    const answer = runs.durations.answer.value?.body;
    return answer ? celled(answer, COLUMNS) : null;
  });
  // The same of the window before, in columns of the same width.
  const trendBefore = screen.ask('/stats/durations', () => {
    const answer = runs.durations.answer.value?.body;
    if (!seen.before.value || !answer) return null;
    const window = asParameters(before(screenWindow.value));
    return { ...asked.value, ...window, columns: answer.points ? COLUMNS : BUCKETS, points: 0 };
  });
  const year = screen.ask(
    '/task/{task_id}/stats',
    () => (task.value && seen.heat.value ? { days: YEAR, until: iso(screenWindow.value.end) } : null),
    () => ({ task_id: task.value }),
  );
  const hours = screen.ask('/stats/histogram', () => {
    const { end } = screenWindow.value;
    if (!task.value || !seen.heat.value) return null;
    return { task_id: task.value, ...asParameters({ start: end - FORTNIGHT, end }), width: '1h' };
  });
  const errors = screen.ask('/errors', () => (seen.causes.value ? { ...selected.value, limit: 5 } : null));
  const differs = screen.ask('/stats/breakdown', () => {
    if (!seen.causes.value || tooLong.value) return null;
    return { ...selected.value, success: undefined, status: 'failed', by: 'owner,attempt,hour' };
  });
  const owners = screen.ask('/stats/histogram', () =>
    seen.causes.value && task.value ? { ...selected.value, by: 'owner' } : null,
  );
  return { task, seen, runs, fleet, last, trend, trendBefore, year, hours, errors, differs, owners };
}

export type Questions = ReturnType<typeof begin>;
