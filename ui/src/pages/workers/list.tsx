// All workers, one a row.

import type { JSX } from 'preact';
import { Spark } from '../../chart/spark';
import { workerSpark } from '../../messages';
import { Empty } from '../../parts/empty';
import { Unit } from '../../parts/unit';
import { When } from '../../parts/when';
import { useMedium, useNarrow } from '../../state/narrow';
import { address, change, go } from '../../state/url';
import { screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { markRank } from '../../table/list';
import { type Column, Table } from '../../table/table';
import { duration } from '../../text/duration';
import { count, percent, times } from '../../text/number';
import { iso, span } from '../../text/time';
import { marked, type Questions, sorting, tooLong, words } from './questions';
import { CLEAR, type SortKey, sortText, standingOf, type WorkerRow } from './rows';

/** The runs of a worker, as the page Runs shows them. */
export const runsOf = (owner: string, status?: string): string =>
  address('/ui/runs', { lease_owner: owner, status, success: undefined });

const SLOWER = 2; // times as slow; a mean moves by much when one run is slow
const SCALE = 8; // standard errors from the middle of the bar to its ends

/** How a worker's failures stand against all others': a bar to the right or to the left of the middle, and words. */
export function Standing({ z }: { z: number | null }): JSX.Element {
  const long = Math.min(1, Math.abs(z ?? 0) / SCALE) * 50;
  const clear = z !== null && Math.abs(z) >= CLEAR;
  const tone = clear ? (z > 0 ? 'worse' : 'better') : '';
  const title =
    z === null
      ? 'It cannot be said: fewer than 30 finished runs, or none failed at all'
      : `Its share of failures is ${Math.abs(z).toFixed(1)} standard errors ${z < 0 ? 'below' : 'above'} that of all others`;
  return (
    <span class={`standing ${tone}`} title={title}>
      <span class="scale" aria-hidden="true">
        <i style={{ width: `${long}%`, insetInlineStart: `${(z ?? 0) < 0 ? 50 - long : 50}%` }} />
      </span>
      <span>{standingOf(z)}</span>
      {z !== null && <span class="z">{`${z < 0 ? '−' : '+'}${Math.abs(z).toFixed(1)}`}</span>}
    </span>
  );
}

const number = (n: number): JSX.Element | string => (n ? count(n) : <span class="dim">0</span>);

const COLUMNS: readonly Column<WorkerRow>[] = [
  { key: 'owner', head: 'Worker', sortable: true, cell: ({ owner }) => <Name owner={owner} /> },
  { key: 'z', head: 'Against all others', width: '16.5rem', sortable: true, cell: ({ z }) => <Standing z={z} /> },
  {
    key: 'rate',
    head: 'Failed of finished',
    width: '8.5rem',
    end: true,
    sortable: true,
    cell: ({ rate }) =>
      rate === null ? (
        '–'
      ) : (
        <>
          {percent(rate)} <Unit text="failed" />
        </>
      ),
  },
  {
    key: 'failed',
    head: 'Failed',
    width: '4.5rem',
    end: true,
    sortable: true,
    cell: ({ failed }) => (
      <>
        {number(failed)} <Unit text="failed runs" />
      </>
    ),
  },
  { key: 'runs', head: 'Runs', width: '5rem', end: true, sortable: true, cell: ({ runs }) => count(runs) },
  {
    key: 'trend',
    head: 'Over time',
    width: '8.5rem',
    cell: ({ spark }) => spark && <Spark {...spark} label={workerSpark(spark.runs, spark.failed)} />,
  },
  {
    key: 'mean',
    head: 'Mean',
    width: '6rem',
    end: true,
    sortable: true,
    cell: ({ mean }) => (mean === null ? '–' : duration(mean)),
  },
  {
    key: 'before',
    head: 'vs before',
    width: '5.5rem',
    end: true,
    sortable: true,
    cell: ({ before, comparable }) => before !== null && <Ratio ratio={before} comparable={comparable} />,
  },
  { key: 'open', head: 'Open', width: '4.5rem', end: true, sortable: true, cell: ({ open }) => number(open) },
  {
    key: 'lost',
    head: 'Lost',
    width: '4.5rem',
    end: true,
    sortable: true,
    cell: ({ lost }) =>
      lost ? (
        <span class="outcome lost">
          ⚠ {count(lost)} <Unit text="lost" />
        </span>
      ) : (
        <>
          {number(0)} <Unit text="lost" />
        </>
      ),
  },
  { key: 'seen', head: 'Last seen', width: '9rem', sortable: true, cell: ({ seen }) => <When at={iso(seen)} /> },
];
const LESS_ROOM = new Set(['before', 'seen', 'open', 'rate']);

function Name({ owner }: { owner: string }): JSX.Element {
  return tooLong.value ? (
    <bdi>{owner}</bdi>
  ) : (
    <a href={runsOf(owner)} title="Its runs">
      <bdi>{owner}</bdi>
    </a>
  );
}

/** The mean duration by that of the window before. */
function Ratio({ ratio, comparable }: { ratio: number; comparable: boolean }): JSX.Element {
  const tone = comparable && ratio >= SLOWER ? 'more' : 'dim';
  return (
    <span class={`change ${tone}`} title="Its mean duration by that of the window before">
      {times(ratio)}
    </span>
  );
}

export function List({ questions }: { questions: Questions }): JSX.Element | null {
  const [narrow, medium] = [useNarrow(), useMedium()];
  const rows = questions.shown.value;
  if (!rows) return null;
  if (!rows.length) return <Nothing />;
  const less = !narrow && (medium || marked.value !== null);
  return (
    <section class="workers" aria-label="Workers">
      <Table<WorkerRow>
        label="Workers"
        columns={less ? COLUMNS.filter(({ key }) => !LESS_ROOM.has(key)) : COLUMNS}
        total={rows.length}
        at={(rank) => rows[rank]}
        keyOf={({ owner }) => owner}
        tone={({ z }) => (z !== null && z >= CLEAR ? 'failed' : undefined)}
        selected={marked}
        select={(key, rank) => {
          markRank(key === null ? null : rank);
          change({ sel: key ?? undefined }, 'replace');
        }}
        open={({ owner }) => !tooLong.value && go(runsOf(owner))}
        sorting={sorting.value}
        sort={(key) => change({ sort: sortText(key as SortKey, sorting.value) })}
        stale={!questions.owners.current.value}
      />
    </section>
  );
}

function Nothing(): JSX.Element {
  const { start, end } = screenWindow.value;
  const window = span(start, end, zone.value);
  return words.value ? (
    <Empty text={`No worker of ${window} has “${words.value}” in its name.`} unfiltered>
      <button type="button" onClick={() => change({ q: undefined })}>
        Show all workers
      </button>
    </Empty>
  ) : (
    <Empty text={`No run of ${window} names a worker (lease_owner).`} unfiltered />
  );
}
