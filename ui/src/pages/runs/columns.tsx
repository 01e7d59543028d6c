// The columns of a list of runs.

import type { JSX } from 'preact';
import type { Run } from '../../api';
import { outputReader } from '../../net/outputs';
import { Outcome, outcomeOf } from '../../parts/outcome';
import { Task } from '../../parts/task';
import { Unit } from '../../parts/unit';
import { When } from '../../parts/when';
import { address, change } from '../../state/url';
import { now } from '../../state/window';
import type { Column } from '../../table/table';
import { duration } from '../../text/duration';
import { millis } from '../../text/time';
import { headline } from '../../text/trace';
import { COLUMN_NAMES, type ColumnKey, chosenColumns, isUsual, pathOf } from './chosen';
import type { Questions } from './questions';

/** What the columns need besides the rows. */
export type Beside = Pick<Questions, 'middle' | 'newer'>;

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

/** A time with the word for it where the heads of the table are not seen. */
const named = (name: string, at: string | null): JSX.Element | null =>
  at === null ? null : (
    <>
      <Unit text={`${name} `} />
      <When at={at} />
    </>
  );

/** How long a run waited before it started. */
function Waited({ run }: { run: Run }): JSX.Element | null {
  if (run.started_at === null || run.created_at === undefined) return null;
  const seconds = (millis(run.started_at) - millis(run.created_at)) / 1000;
  return (
    <>
      <Unit text="waited " />
      {seconds < 0 ? '–' : duration(seconds)}
    </>
  );
}

function OutputCell({ run, path }: { run: Run; path: string }): JSX.Element | null {
  const found = outputReader.value?.valueIn(run, path);
  return found ? (
    <>
      <Unit text={`${shortPath(path)} `} />
      <bdi class={found.kind} title={found.text}>
        {found.text}
      </bdi>
    </>
  ) : null;
}

/** A path without what all of them begin with. */
const shortPath = (path: string): string => path.replace(/^(\$\.|\/)(?=.)/, '');

type Made = Omit<Column<Run>, 'key' | 'head'> & { rem: number };

const made = ({ middle }: Beside): Record<ColumnKey, Made> => ({
  result: {
    rem: 6.5,
    cell: (run) => <Outcome name={outcomeOf(run, now.value)} />,
    only: (run) => change({ status: outcomeOf(run, now.peek()) }),
  },
  task: { rem: 12, cell: (run) => <Task id={run.task_id} />, only: (run) => change({ task_id: run.task_id }) },
  started: {
    rem: 9.5,
    sortable: true,
    cell: (run) => <a href={address(`/ui/runs/${run.id}`)}>{run.started_at && <When at={run.started_at} />}</a>,
  },
  duration: {
    rem: 9,
    sortable: true,
    title: 'The bar is its share of the 95th percentile of all runs of the screen',
    cell: (run) => <Took run={run} p95={middle.value?.p95 ?? null} />,
  },
  worker: {
    rem: 8,
    cell: (run) => run.lease_owner && <bdi>{run.lease_owner}</bdi>,
    only: (run) => run.lease_owner && change({ lease_owner: run.lease_owner }),
  },
  attempt: {
    rem: 3,
    end: true,
    cell: (run) => (
      <>
        <Unit text="try " />
        {run.attempt}
      </>
    ),
  },
  created: { rem: 9.5, cell: (run) => named('created', run.created_at) },
  waited: { rem: 6, title: 'From its creation to its start', cell: (run) => <Waited run={run} /> },
  finished: { rem: 9.5, cell: (run) => named('finished', run.finished_at) },
  lease: { rem: 9.5, cell: (run) => named('lease', run.leased_until) },
  id: {
    rem: 20,
    cell: (run) => (
      <a class="mono" href={address(`/ui/runs/${run.id}`)}>
        {run.id}
      </a>
    ),
  },
  error: { rem: 24, cell: (run) => run.error && <bdi title={run.error.slice(-2000)}>{headline(run.error)}</bdi> },
});

const ofPath = (path: string): Made => ({
  rem: 8,
  title: `output->>'${path}'`,
  cell: (run) => <OutputCell run={run} path={path} />,
});

/** The chosen columns. Others than the usual ones share the width, so that any number of them has room. */
export function columnsOf(questions: Beside, without: string | undefined): Column<Run>[] {
  const all = made(questions);
  const keys = chosenColumns.value.filter((key) => key !== without);
  const found = keys.map((key) => ({ key, path: pathOf(key) }));
  const wanted = found.map(({ key, path }) => (path === null ? all[key as ColumnKey] : ofPath(path)));
  const sum = wanted.reduce((total, { rem }) => total + rem, 0);
  return wanted.map(({ rem, ...column }, at) => {
    const { key, path } = found[at]!;
    const width = isUsual.value ? (key === 'error' ? {} : { width: `${rem}rem` }) : { width: `${(100 * rem) / sum}%` };
    if (path !== null) return { ...column, ...width, key: `output-${at}`, head: shortPath(path) };
    return { ...column, ...width, key, head: COLUMN_NAMES[key as ColumnKey] };
  });
}
