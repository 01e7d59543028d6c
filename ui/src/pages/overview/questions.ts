// What the Overview asks: the two pictures, all tasks, all workers, errors, and what is open now.

import { signal } from '@preact/signals';
import type { Screen } from '../../net/screen';
import { asParameters, now, screenWindow } from '../../state/window';
import { begin as beginRuns } from '../runs/questions';
import { asked } from '../runs/selection';
import { isWhole } from '../tasks/before';
import { fleetOf } from '../tasks/fleet';

const HOUR = 3_600_000;
const GROUPS = 5; // of errors
const LISTED = 200; // open runs that are looked at one by one
const OPEN = { status: 'running,queued,lost', fields: 'id,task_id,started_at,leased_until,created_at,success' };

/** Begins the questions of the Overview. */
export function begin(screen: Screen) {
  const seen = signal(false); // whether "Now" was in view
  const runs = beginRuns(screen, isWhole);
  const fleet = fleetOf(screen, 0);
  const owners = screen.ask('/stats/owners', () => ({
    ...asParameters(screenWindow.value),
    compare: 'none',
    spark: 0,
  }));
  const errors = screen.ask('/errors', () => ({ ...asked.value, sort: 'new', limit: GROUPS }));
  const lastHour = screen.ask('/errors', () =>
    seen.value ? { ...asParameters({ start: now.value - HOUR, end: now.value }), limit: GROUPS } : null,
  );
  const open = screen.ask('/runs', () => (seen.value ? { ...OPEN, limit: LISTED } : null));
  const many = (): boolean => (open.answer.value?.body.total ?? 0) > LISTED;
  // Only where there are more than were listed.
  const lost = screen.ask('/runs', () => (many() ? { status: 'lost', limit: 1, fields: 'id' } : null));
  const oldest = screen.ask('/runs', () =>
    many() ? { ...OPEN, limit: 1, offset: open.answer.value!.body.total - 1 } : null,
  );
  const queued = screen.ask('/runs', () => (many() ? { status: 'queued', limit: 1, fields: 'id' } : null));
  return { runs, fleet, owners, errors, seen, lastHour, open, oldest, lost, queued };
}

export type Questions = ReturnType<typeof begin>;
