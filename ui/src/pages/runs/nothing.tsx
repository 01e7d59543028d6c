// What stands where a list of runs is empty: why, and the way to the run that is nearest.

import type { JSX } from 'preact';
import { noneQueued, nothing } from '../../messages';
import { isEmpty, keyed } from '../../net/about';
import { useScreen } from '../../net/use';
import { Empty } from '../../parts/empty';
import { chosenFilters, filterBy, filters } from '../../state/filters';
import { between } from '../../state/range';
import { now, screenWindow, show } from '../../state/window';
import { zone } from '../../state/zone';
import { KEY_OPTION } from '../../text/copy';
import { ago, iso, millis, span } from '../../text/time';
import { brush } from './selection';

/** How the first run gets in. */
function NoRunsYet(): JSX.Element {
  const at = iso(now.value);
  const run = {
    task_id: crypto.randomUUID?.() ?? '550e8400-e29b-41d4-a716-446655440000',
    started_at: at,
    finished_at: at,
  };
  const body = JSON.stringify({ runs: [{ ...run, success: true }] });
  return (
    <div class="nothing">
      <p>There are no runs yet. This stores one:</p>
      <pre>{`curl ${location.origin}/runs ${keyed.value ? `${KEY_OPTION} ` : ''}-H 'Content-Type: application/json' -d '${body}'`}</pre>
    </div>
  );
}

/** Without a window the service finds a run by these filters alone. */
const QUICK = new Set(['task_id', 'status', 'success', 'error_group']);

const shownWindow = (): { start: number; end: number } => {
  const part = brush.value;
  return part ? { start: part.from, end: part.to } : screenWindow.value;
};

/** The newest run before the window that matches, with the way to it. */
function LastBefore(): JSX.Element | null {
  const [, last] = useScreen((screen) =>
    screen.ask('/runs', () => {
      if (brush.value?.low !== undefined || !Object.keys(filters.value).every((key) => QUICK.has(key))) return null;
      return { ...filters.value, end_time: iso(shownWindow().start), limit: 1, fields: 'id,started_at' };
    }),
  );
  const answer = last.answer.value?.body;
  if (!answer || !last.current.value) return null;
  const found = answer.items[0];
  if (!found?.started_at) return <p>Nor is there one before.</p>;
  const at = millis(found.started_at);
  const { start, end } = shownWindow();
  return (
    <p>
      The last one before started {ago(at, now.value)}.{' '}
      <button type="button" onClick={() => show(between(at - (end - start) / 2, at + (end - start) / 2))}>
        Show it
      </button>
    </p>
  );
}

export function Nothing(): JSX.Element {
  const { start, end } = shownWindow();
  const filtered = Object.keys(chosenFilters.value).length > 0;
  if (isEmpty.value) return <NoRunsYet />;
  if (chosenFilters.value.status === 'queued') {
    return (
      <div class="nothing">
        <p>{noneQueued}</p>
        <button type="button" onClick={() => filterBy('status', undefined)}>
          Remove the filter
        </button>
      </div>
    );
  }
  return (
    <Empty text={nothing(filtered, span(start, end, zone.value))}>
      <LastBefore />
    </Empty>
  );
}
