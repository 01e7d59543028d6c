// The groups of errors, one a row.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import type { ErrorGroup, Errors } from '../../api';
import { Spark } from '../../chart/spark';
import { groupSpark } from '../../messages';
import { Change } from '../../parts/change';
import { Empty } from '../../parts/empty';
import { Message, messageText } from '../../parts/message';
import { freshness } from '../../parts/trouble';
import { Unit } from '../../parts/unit';
import { When } from '../../parts/when';
import { filterBy } from '../../state/filters';
import { useMedium, useNarrow } from '../../state/narrow';
import { change, go, place } from '../../state/url';
import { screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { markRank } from '../../table/list';
import { type Column, Table } from '../../table/table';
import { count } from '../../text/number';
import { span } from '../../text/time';
import { brush } from '../runs/selection';
import { Letter } from './chart';
import { groupAddress } from './links';
import { type Questions, sort, withoutFailed, words } from './questions';

const columnsOf = (questions: Questions): Column<ErrorGroup>[] => [
  {
    key: 'what',
    head: 'Error',
    cell: (group) => (
      <a href={groupAddress(group.id)} title={messageText(group)} data-group={group.id}>
        <Letter questions={questions} id={group.id} /> {group.is_new && <b class="new">new</b>}{' '}
        <Message group={group} />
      </a>
    ),
  },
  { key: 'frame', head: 'Frame', width: '11.5rem', cell: ({ frame }) => frame && <bdi class="mono">{frame}</bdi> },
  {
    key: 'trend',
    head: 'Over time',
    width: '8.5rem',
    cell: (group) => <Spark runs={group.spark} failed={group.spark} label={groupSpark(group.spark)} />,
  },
  {
    key: 'count',
    head: 'Runs',
    width: '5rem',
    end: true,
    sortable: true,
    cell: ({ runs }) => (
      <>
        <b>{count(runs)}</b> <Unit text="runs" />
      </>
    ),
  },
  {
    key: 'change',
    head: 'vs before',
    width: '6rem',
    end: true,
    cell: ({ runs, previous_runs }) => <Change now={runs} before={previous_runs} />,
  },
  { key: 'tasks', head: 'Tasks', width: '4.5rem', end: true, sortable: true, cell: ({ tasks }) => count(tasks) },
  { key: 'owners', head: 'Workers', width: '5rem', end: true, cell: ({ owners }) => count(owners) },
  {
    key: 'first',
    head: 'First seen',
    width: '9rem',
    sortable: true,
    cell: ({ first_seen }) => <When at={first_seen} />,
  },
  {
    key: 'last',
    head: 'Last seen',
    width: '9rem',
    sortable: true,
    cell: ({ last_seen }) => last_seen && <When at={last_seen} />,
  },
];

const LESS_ROOM = new Set(['frame', 'first']);

export function List({ questions }: { questions: Questions }): JSX.Element | null {
  const selected = useComputed(() => place.value.query['sel'] ?? null);
  const [narrow, medium] = [useNarrow(), useMedium()];
  const answer = questions.groups.shown.value;
  if (!answer) return null;
  if (!answer.groups.length) return <Nothing answer={answer} />;
  const columns = columnsOf(questions).filter(({ key }) => narrow || !medium || !LESS_ROOM.has(key));
  return (
    <Table<ErrorGroup>
      label="Groups of errors"
      columns={columns}
      total={answer.groups.length}
      at={(rank) => answer.groups[rank]}
      keyOf={({ id }) => id}
      selected={selected}
      select={(key, rank) => {
        markRank(key === null ? null : rank);
        change({ sel: key ?? undefined }, 'replace');
      }}
      open={({ id }) => go(groupAddress(id))}
      sorting={{ key: sort.value, ascending: false }}
      sort={(key) => change({ sort: key === 'count' ? undefined : key })}
      stale={freshness(questions.groups) === 'stale'}
    />
  );
}

/** Why there is no group. */
function Nothing({ answer }: { answer: Errors }): JSX.Element {
  const part = brush.value;
  const { start, end } = part ? { start: part.from, end: part.to } : screenWindow.value;
  const window = span(start, end, zone.value);
  if (withoutFailed.value) {
    return (
      <Empty text="Only failed runs have errors, and the filter by status leaves them out.">
        <button type="button" onClick={() => filterBy('status', undefined)}>
          Remove the filter
        </button>
      </Empty>
    );
  }
  if (words.value && answer.total_failed > answer.without_text) {
    return (
      <Empty text={`No group of errors of ${window} contains “${words.value}”.`}>
        <button type="button" onClick={() => change({ q: undefined })}>
          Show all groups
        </button>
      </Empty>
    );
  }
  if (answer.total_failed) return <Empty text={`None of the failed runs of ${window} has a text to group by.`} />;
  return <Empty text={`No run of ${window} failed`} filtered="with these filters" />;
}
