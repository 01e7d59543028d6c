// Queued runs. They have not started, so no window has them: they stand above the list, the oldest first.

import { computed, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useId } from 'preact/hooks';
import type { Run, RunPage } from '../../api';
import { queuedCut, queuedRuns } from '../../messages';
import type { Panel, Screen } from '../../net/screen';
import { Task } from '../../parts/task';
import { Trouble } from '../../parts/trouble';
import { When } from '../../parts/when';
import { filters } from '../../state/filters';
import { address, change, place } from '../../state/url';
import { now } from '../../state/window';
import { duration } from '../../text/duration';
import { millis } from '../../text/time';

const MOST = 50; // that are listed

export interface QueuedRuns {
  /** How many match the filters. */
  total: ReadonlySignal<number>;
  /** The oldest of them, the newest of these first. */
  oldest: Panel<RunPage>;
  /** Whether the API can list them. */
  known: ReadonlySignal<boolean>;
}

const isAsked = (): boolean => filters.value.status === 'queued';
const isOpen = (): boolean => isAsked() || place.value.query['queued'] === 'open';

/** Asks for the oldest queued runs, where there are some, once they are to be listed. `total` is how many there are. */
export function askQueued(screen: Screen, total: ReadonlySignal<number>): QueuedRuns {
  // Without a window the API has these two filters for one task only.
  const known = computed(() => {
    const { lease_owner, attempt_min, task_id } = filters.value;
    return (!lease_owner && !attempt_min) || /^[^,]+$/.test(task_id ?? '');
  });
  const oldest = screen.ask('/runs', () => {
    if (!total.value || !known.value || !isOpen()) return null;
    const fields = 'id,task_id,lease_owner,attempt,created_at';
    return { ...filters.value, status: 'queued', limit: MOST, offset: Math.max(0, total.value - MOST), fields };
  });
  return { total, oldest, known };
}

/** How many runs are queued; a click lists them, the one that has waited longest first. */
export function QueuedStrip({ queued }: { queued: QueuedRuns }): JSX.Element | null {
  const id = useId();
  const total = queued.total.value;
  if (!total) return null;
  const items = [...(queued.oldest.answer.value?.body.items ?? [])].reverse();
  const open = isOpen();
  return (
    <section class={`strip ${queued.oldest.current.value ? '' : 'stale'}`} aria-label="Queued runs">
      <p class="row">
        <span class="outcome queued" data-queued={total}>
          <i aria-hidden="true">○</i> {queuedRuns(total)}
        </span>
        <span class="dim">not started, so no window has {total === 1 ? 'it' : 'them'}</span>
        {!queued.known.value && <span class="dim">choose one task to list them with these filters</span>}
        {queued.known.value && !isAsked() && (
          <button
            type="button"
            aria-expanded={open}
            aria-controls={id}
            onClick={() => change({ queued: open ? undefined : 'open' }, 'replace')}
          >
            {open ? 'Fold ▴' : 'List ▾'}
          </button>
        )}
      </p>
      <Trouble panel={queued.oldest} name="Queued runs" />
      <div id={id}>{open && items.length > 0 && <Waiting runs={items} total={total} />}</div>
    </section>
  );
}

/** For how long a run has waited. */
const Waits = ({ run }: { run: Run }): JSX.Element => (
  <a href={address(`/ui/runs/${run.id}`)}>{duration(Math.max(0, now.value - millis(run.created_at)) / 1000)}</a>
);

function Waiting({ runs, total }: { runs: readonly Run[]; total: number }): JSX.Element {
  return (
    <>
      <table class="plain" aria-label="Queued runs">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Created</th>
            <th scope="col">Waits for</th>
            <th scope="col" class="end wide">
              Try
            </th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id} data-run={run.id}>
              <td class="clip">
                <Task id={run.task_id} />
              </td>
              <td>
                <When at={run.created_at} />
              </td>
              <td>
                <Waits run={run} />
              </td>
              <td class="end wide">{run.attempt}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {total > runs.length && <p class="dim">{queuedCut(runs.length, total)}</p>}
    </>
  );
}
