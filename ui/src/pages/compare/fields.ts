// The fields of two runs side by side, and how they differ.

import { OUTCOMES } from '../../messages';
import { taskName } from '../../net/names';
import { outcomeOf } from '../../parts/outcome';
import { duration } from '../../text/duration';
import { times } from '../../text/number';
import { headline } from '../../text/trace';
import type { StoredRun } from '../run/questions';

export interface Field {
  name: string;
  /** What is shown of each run; null where it has none. */
  shown: [string | null, string | null];
  differs: boolean;
  /** How they differ, where that can be said. */
  how?: string | undefined;
}

/** Microseconds of a time of the API, which has none or six digits of a fraction. */
const micros = (text: string): number => Date.parse(`${text.slice(0, 19)}Z`) * 1000 + Number(text.slice(20, -1) || 0);

const seconds = (from: string | null, to: string | null): number | null =>
  from === null || to === null ? null : (micros(to) - micros(from)) / 1e6;

/** A field whose texts are compared. */
function plain(name: string, one: string | null, other: string | null): Field {
  return { name, shown: [one, other], differs: one !== other };
}

/** A duration: how many times as long the second one is. */
function timed(name: string, one: number | null, other: number | null): Field {
  const text = (value: number | null): string | null => (value === null ? null : duration(value));
  const factor = one && other !== null ? other / one : null;
  const how = factor === null || one === other ? undefined : `${times(factor)} as long`;
  return { name, shown: [text(one), text(other)], differs: one !== other, how };
}

/** A time: how much later the second one is. */
function moment(name: string, one: string | null, other: string | null): Field {
  const apart = seconds(one, other);
  const how = apart ? `${duration(Math.abs(apart))} ${apart > 0 ? 'later' : 'earlier'}` : undefined;
  return { ...plain(name, one, other), how };
}

/** All fields of two runs but their ids and their outputs; those that say more stand first. */
export function fieldsOf(one: StoredRun, other: StoredRun, now: number): Field[] {
  const both = <T>(read: (run: StoredRun) => T): [T, T] => [read(one), read(other)];
  const outcome = (run: StoredRun): string => {
    const { glyph, word } = OUTCOMES[outcomeOf(run, now)];
    return `${glyph} ${word}`;
  };
  const error = (run: StoredRun): string | null => run.error && headline(run.error);
  const errors = plain('error', ...both(error));
  return [
    plain('outcome', ...both(outcome)),
    { ...plain('task', ...both((run) => taskName(run.task_id))), differs: one.task_id !== other.task_id },
    plain('attempt', ...both((run) => String(run.attempt))),
    plain('worker', ...both((run) => run.lease_owner)),
    timed('waited', ...both((run) => seconds(run.created_at, run.started_at))),
    timed('took', ...both((run) => seconds(run.started_at, run.finished_at))),
    { ...errors, differs: one.error !== other.error, how: errors.differs ? undefined : 'other text, same first line' },
    moment('created', ...both((run) => run.created_at)),
    moment('started', ...both((run) => run.started_at)),
    moment('finished', ...both((run) => run.finished_at)),
    moment('lease until', ...both((run) => run.leased_until)),
  ];
}
