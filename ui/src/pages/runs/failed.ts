// The failed run after another one, or before it, in the order of a list. What lies between them need not be here: the
// service finds it.

import type { Run } from '../../api';
import { noFailedRun } from '../../messages';
import { type Asked, ask } from '../../net/ask';
import type { Rows } from '../../net/rows';
import { say } from '../../parts/clipboard';
import { useShortcuts } from '../../shell/keys';
import { currentRow, markRow } from '../../table/list';
import { isoOfMicros, micros } from '../../text/time';

type Listed = Asked<'/runs'>;
type Place = Pick<Run, 'id' | 'created_at' | 'started_at' | 'finished_at'>;
/** Down the list (1), or up (-1). */
export type Way = 1 | -1;

const PAGE = 50; // failed runs of an answer: the first one that stands elsewhere is taken
const ALIKE = 200; // runs of a list that began at the same microsecond

/** What a list is in the order of, the greatest first: when a run started, or for how long it ran, in microseconds. */
function heightOf(run: Place, listed: Listed): number {
  const start = micros(run.started_at ?? run.created_at);
  return listed.order === 'duration' ? micros(run.finished_at!) - start : start;
}

/** The part of a list from `low` on, and below `high`. */
function part(listed: Listed, low: number | null, high: number | null): Listed {
  const lasts = listed.order === 'duration';
  const from = low !== null && (lasts ? { duration_min: low / 1e6 } : { start_time: isoOfMicros(low) });
  const to = high !== null && (lasts ? { duration_max: (high - 1) / 1e6 } : { end_time: isoOfMicros(high) });
  return { ...listed, ...from, ...to, include_errors: undefined };
}

/** The next failed run of a list that stands after (1) or before (-1) a run; null where there is none. */
export async function failedBeyond(listed: Listed, from: Place, way: Way): Promise<Run | null> {
  const at = heightOf(from, listed);
  const failed = {
    ...(way > 0 ? part(listed, null, at + 1) : part(listed, at, null)),
    success: false,
    fields: 'id,created_at,started_at,finished_at',
  };
  const beyond = (run: Run): boolean => {
    const apart = heightOf(run, listed) - at;
    return (apart || (run.id < from.id ? -1 : run.id > from.id ? 1 : 0)) * way < 0;
  };
  let offset = way > 0 ? 0 : (await ask('/runs', { ...failed, limit: 1 })).body.total - PAGE;
  for (;;) {
    const { items, has_more } = (await ask('/runs', { ...failed, limit: PAGE, offset: Math.max(0, offset) })).body;
    const found = way > 0 ? items.find(beyond) : items.findLast(beyond);
    if (found || (way > 0 ? !has_more : offset <= 0)) return found ?? null;
    offset += way * PAGE;
  }
}

/** How many runs of a list stand before a run of it. */
async function rankOf(listed: Listed, run: Run): Promise<number> {
  const at = heightOf(run, listed);
  const [from, alike] = await Promise.all([
    ask('/runs', { ...part(listed, at, null), limit: 1, fields: 'id' }),
    ask('/runs', { ...part(listed, at, at + 1), limit: ALIKE, fields: 'id' }),
  ]);
  const among = alike.body.items.findIndex(({ id }) => id === run.id);
  return from.body.total - alike.body.total + Math.max(0, among);
}

/** Marks the next failed row of a list; without a marked one, the first that is seen or stands below. */
async function visit(rows: Rows, way: Way): Promise<void> {
  const listed = rows.question;
  const start = currentRow<Run>();
  if (!listed || !start) return;
  const here = way > 0 && !start.marked && start.row.success === false;
  const none = /^(true|1)$/i.test(String(listed.success));
  const found = here ? start.row : none ? null : await failedBeyond(listed, start.row, way);
  if (!found) say(noFailedRun(way));
  else markRow(found.id, here ? start.rank : await rankOf(listed, found));
}

/** Does one thing after the other: what is asked for meanwhile, as by a key that is held, is left out. */
export function oneByOne<T>(act: (way: T) => Promise<void>): (way: T) => void {
  let busy = false;
  return (way) => {
    if (busy) return;
    busy = true;
    act(way)
      .catch((error: unknown) => say((error as Error).message))
      .finally(() => {
        busy = false;
      });
  };
}

/** The keys that go from failed row to failed row. */
export function useFailedKeys(rows: Rows): void {
  const go = oneByOne((way: Way) => visit(rows, way));
  useShortcuts([
    { keys: 'n', does: 'Next failed row', run: () => go(1) },
    { keys: 'p', does: 'Failed row before', run: () => go(-1) },
  ]);
}
