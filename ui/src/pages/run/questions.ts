// What the page of a run asks, and the drawer of a list as well: the run, what stands around it, how long others took.

import type { Run, Uuid } from '../../api';
import { addressOf } from '../../net/ask';
import type { Screen } from '../../net/screen';
import { asParameters } from '../../state/window';
import { takeOut } from '../../text/json';
import { millis } from '../../text/time';

/** A run with its output as the text that is stored. */
export interface StoredRun extends Omit<Run, 'output'> {
  /** The output as JSON; null where there is none. */
  output: string | null;
  /** The whole record as the API wrote it. */
  text: string;
}

export function parseRun(text: string): StoredRun {
  const { value, rest } = takeOut(text, 'output');
  return { ...(JSON.parse(rest) as Run), output: value === 'null' ? null : value, text };
}

export const DAYS = 7; // whose runs it is compared with
const DAY = 864e5;

/** The window of the runs that a run is compared with: days up to it. */
export function comparedWith(run: StoredRun): { start_time?: string; end_time?: string } {
  const at = millis(run.started_at ?? run.created_at);
  return asParameters({ start: Math.max(0, at - DAYS * DAY), end: at + 1 });
}

export const runAddress = (id: Uuid): string => addressOf('/runs/{run_id}', {}, { run_id: id });

/** Begins the questions of a run. */
export function begin(screen: Screen, id: () => Uuid | null) {
  const run = screen.askAddress<StoredRun>(() => {
    const asked = id();
    return asked && runAddress(asked);
  }, parseRun);
  const around = screen.ask(
    '/runs/{run_id}/context',
    () => (id() ? { days: DAYS } : null),
    () => ({ run_id: id() ?? '' }),
  );
  /** The run, once it is the one that is asked for. */
  const shown = (): StoredRun | null => (run.current.value ? (run.answer.value?.body ?? null) : null);
  const durations = screen.ask('/stats/durations', () => {
    const found = shown();
    if (!found?.started_at || !found.finished_at) return null;
    return { ...comparedWith(found), task_id: found.task_id, columns: 1, points: 0 };
  });
  const group = screen.ask(
    '/errors/{group}',
    () => {
      const found = shown();
      return found?.success === false && around.answer.value?.body.error_group ? comparedWith(found) : null;
    },
    () => ({ group: around.answer.value?.body.error_group ?? '' }),
  );
  return { run, around, durations, group };
}

export type Questions = ReturnType<typeof begin>;
