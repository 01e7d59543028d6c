// What the Overview asks: runs over time, all tasks, all workers, errors, what is open now; durations when they are in view.

import { signal } from '@preact/signals';
import type { Asked } from '../../net/ask';
import type { Screen } from '../../net/screen';
import { asParameters, now, screenWindow } from '../../state/window';
import { begin as beginRuns } from '../runs/questions';
import { asked } from '../runs/selection';
import { isWhole } from '../tasks/before';
import { fleetOf } from '../tasks/fleet';

const GROUPS = 100; // of errors: nearly always all of them
const LISTED = 200; // open runs that are looked at one by one
const OPEN = { status: 'running,queued,lost', fields: 'id,task_id,started_at,leased_until,created_at,success' };

/** Begins the questions of the Overview. */
export function begin(screen: Screen) {
  // What is asked for when it comes into view.
  const seen = { now: signal(false), durations: signal(false) };
  const runs = beginRuns(screen, { before: isWhole, durations: () => !seen.durations.value });
  const fleet = fleetOf(screen, 0);
  const owners = screen.ask('/stats/owners', () => ({
    ...asParameters(screenWindow.value),
    compare: 'none',
    spark: 0,
  }));
  const errors = screen.ask('/errors', () => ({ ...asked.value, sort: 'new', limit: GROUPS }));
  // What is open has no window, and changes with the time, too: a lease may be over.
  const askOpen = (query: () => Asked<'/runs'> | null) => screen.ask('/runs', query, undefined, now);
  const open = askOpen(() => (seen.now.value ? { ...OPEN, limit: LISTED } : null));
  const many = (): boolean => (open.answer.value?.body.total ?? 0) > LISTED;
  // Only where there are more than were listed.
  const lost = askOpen(() => (many() ? { status: 'lost', limit: 1, fields: 'id' } : null));
  const oldest = askOpen(() => (many() ? { ...OPEN, limit: 1, offset: open.answer.value!.body.total - 1 } : null));
  // Without filters, runs over time have it.
  const queued = askOpen(() => (many() && !isWhole() ? { status: 'queued', limit: 1, fields: 'id' } : null));
  return { runs, fleet, owners, errors, seen, open, oldest, lost, queued };
}

export type Questions = ReturnType<typeof begin>;
