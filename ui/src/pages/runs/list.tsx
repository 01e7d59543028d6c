// The list of the Runs page: all runs of the selection, under one scrollbar.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Run } from '../../api';
import { newRuns, noneQueued, nothing } from '../../messages';
import { isEmpty, keyed } from '../../net/about';
import type { Rows } from '../../net/rows';
import { Empty } from '../../parts/empty';
import { Outcome, outcomeOf } from '../../parts/outcome';
import { Task } from '../../parts/task';
import { Trouble } from '../../parts/trouble';
import { When } from '../../parts/when';
import { chosenFilters } from '../../state/filters';
import { held } from '../../state/live';
import { address, change, go, place } from '../../state/url';
import { advance, now, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { markRank } from '../../table/list';
import { type Column, Table } from '../../table/table';
import { KEY_OPTION } from '../../text/copy';
import { duration } from '../../text/duration';
import { iso, millis, span } from '../../text/time';
import { headline } from '../../text/trace';
import { order, type Questions } from './questions';
import { brush } from './selection';

/** The time that a run took, or has been running for. */
function took(run: Run): number | null {
  if (run.started_at === null) return null;
  return ((run.finished_at === null ? now.value : millis(run.finished_at)) - millis(run.started_at)) / 1000;
}

/** A bar as long as the duration by the p95 of all, and the duration. */
function Took({ run, p95 }: { run: Run; p95: number | null }): JSX.Element | null {
  const seconds = took(run);
  if (seconds === null) return null;
  const share = p95 ? Math.min(1, seconds / p95) : 0;
  return (
    <span class={`took ${run.finished_at === null ? 'open' : ''}`}>
      <i aria-hidden="true" style={{ width: `${share * 100}%` }} />
      <span>{run.finished_at === null ? `${duration(Math.max(0, seconds))} …` : duration(seconds)}</span>
    </span>
  );
}

/** What the list needs besides its rows. */
type Beside = Pick<Questions, 'middle' | 'newer'>;

const columnsOf = (questions: Beside): Column<Run>[] => [
  { key: 'result', head: 'Outcome', width: '6.5rem', cell: (run) => <Outcome name={outcomeOf(run, now.value)} /> },
  { key: 'task', head: 'Task', width: '12rem', cell: (run) => <Task id={run.task_id} /> },
  {
    key: 'started',
    head: 'Started',
    width: '9.5rem',
    sortable: true,
    cell: (run) => <a href={address(`/ui/runs/${run.id}`)}>{run.started_at && <When at={run.started_at} />}</a>,
  },
  {
    key: 'duration',
    head: 'Duration',
    width: '9rem',
    sortable: true,
    cell: (run) => <Took run={run} p95={questions.middle.value?.p95 ?? null} />,
  },
  { key: 'worker', head: 'Worker', width: '8rem', cell: (run) => run.lease_owner && <bdi>{run.lease_owner}</bdi> },
  { key: 'attempt', head: 'Try', width: '3rem', end: true, cell: (run) => run.attempt },
  {
    key: 'error',
    head: 'Error',
    cell: (run) => run.error && <bdi title={run.error.slice(-2000)}>{headline(run.error)}</bdi>,
  },
];

interface ListProps {
  questions: Beside;
  rows: Rows;
  /** A column that the page has no need of. */
  without?: string;
}

export function List({ questions, rows, without }: ListProps): JSX.Element {
  const columns = columnsOf(questions).filter(({ key }) => key !== without);
  const selected = useComputed(() => place.value.query['sel'] ?? null);
  useHolding(selected.value !== null);
  const total = rows.total.value;
  return (
    <section aria-label="Runs">
      <Newer questions={questions} total={total} />
      <Trouble panel={rows} name="List of runs" />
      {total === 0 ? (
        <Nothing />
      ) : (
        <Table<Run>
          label="Runs"
          columns={columns}
          total={total ?? 20}
          at={(rank) => rows.at(rank)}
          keyOf={(run) => run.id}
          show={(first, last) => rows.show(first, last)}
          tone={(run) => (run.success === false ? 'failed' : undefined)}
          selected={selected}
          select={(key, rank) => {
            markRank(key === null ? null : rank);
            change({ sel: key ?? undefined }, 'replace');
          }}
          open={(run) => go(address(`/ui/runs/${run.id}`))}
          sorting={{ key: order.value, ascending: false }}
          sort={(key) => change({ order: key === 'duration' ? key : undefined })}
          stale={!rows.current.value}
        />
      )}
    </section>
  );
}

/** While the reader is below the first rows, points at one, or has marked one, the list stays as it is. */
export function useHolding(marked: boolean): void {
  useEffect(() => {
    let pointed = false;
    const look = (): void => {
      held.value = marked || pointed || scrollY > 200;
    };
    const point = ({ target, type, pointerType }: PointerEvent): void => {
      const over = type === 'pointerover' && (target as Element).closest('table.list tbody') !== null;
      pointed = over && pointerType === 'mouse';
      look();
    };
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('pointerover', point, { passive: true });
    document.documentElement.addEventListener('pointerleave', point, { passive: true });
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('pointerover', point);
      document.documentElement.removeEventListener('pointerleave', point);
      held.value = false;
    };
  }, [marked]);
}

interface NewerProps {
  questions: Pick<Questions, 'newer'>;
  /** How many there were when the list was read. */
  total: number | null;
  /** What they are called. */
  name?(n: number): string;
}

/** How many runs have started since the list was read; a click shows them. */
export function Newer({ questions, total, name = newRuns }: NewerProps): JSX.Element | null {
  const count = (questions.newer.answer.value?.body.total ?? 0) - (total ?? 0);
  if (count <= 0 || brush.value) return null;
  const showThem = (): void => {
    change({ sel: undefined }, 'replace');
    scrollTo({ top: 0 });
    advance();
  };
  return (
    <button type="button" class="newer" onClick={showThem}>
      {name(count)}
    </button>
  );
}

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

function Nothing(): JSX.Element {
  const { start, end } = screenWindow.value;
  const filtered = Object.keys(chosenFilters.value).length > 0;
  if (isEmpty.value) return <NoRunsYet />;
  if (chosenFilters.value.status === 'queued') return <p class="nothing">{noneQueued}</p>;
  return <Empty text={nothing(filtered, span(start, end, zone.value))} />;
}
