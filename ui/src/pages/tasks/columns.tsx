// The columns of the fleet.

import { Task } from '../../parts/task';
import { change } from '../../state/url';
import type { Column } from '../../table/table';
import { duration } from '../../text/duration';
import { count, percent } from '../../text/number';
import type { TaskRow } from './fleet';
import { Failed, Growth, LastRun, Line, StateWords } from './parts';
import { STATES } from './states';

const time = (seconds: number | null) => (seconds === null ? <span class="dim">–</span> : duration(seconds));
const END = { end: true, sortable: true } as const;

export const columns: readonly Column<TaskRow>[] = [
  { key: 'task', head: 'Task', width: '13rem', sortable: true, cell: ({ id }) => <Task id={id} /> },
  {
    key: 'attention',
    head: 'State',
    title: `Who needs attention first.\n${Object.values(STATES)
      .map(({ means }) => means)
      .join('\n')}`,
    width: '12.5rem',
    sortable: true,
    cell: (row) => <StateWords states={row.states} signs={row} />,
  },
  {
    key: 'runs',
    head: 'Runs',
    title: 'Runs that started in the window',
    width: '4.5rem',
    ...END,
    cell: ({ runs }) => count(runs),
  },
  { key: 'failed', head: 'Failed', width: '5rem', ...END, cell: (row) => <Failed row={row} /> },
  {
    key: 'success',
    head: 'Success',
    title: 'Succeeded share of the finished runs',
    width: '5.5rem',
    ...END,
    cell: ({ success }) => (success === null ? <span class="dim">–</span> : percent(success)),
  },
  {
    key: 'p50',
    head: 'p50',
    title: 'Half of the runs took less',
    width: '5.5rem',
    ...END,
    cell: ({ p50 }) => time(p50),
  },
  {
    key: 'p95',
    head: 'p95',
    title: '95 % of the runs took less',
    width: '5.5rem',
    ...END,
    cell: ({ p95 }) => time(p95),
  },
  {
    key: 'before',
    head: 'Before',
    title: 'The p95, as a multiple of that of the window before',
    width: '5rem',
    ...END,
    cell: (row) => <Growth row={row} />,
  },
  { key: 'most', head: 'Longest', width: '5.5rem', ...END, cell: ({ most }) => time(most) },
  {
    key: 'line',
    head: 'Over time',
    title: 'Runs, and failed runs, over the window',
    width: '9.5rem',
    cell: (row) => <Line row={row} />,
  },
  {
    key: 'last',
    head: 'Last run',
    width: '7rem',
    ...END,
    cell: (row) => <LastRun row={row} />,
  },
  {
    key: 'tags',
    head: 'Tags',
    sortable: true,
    cell: ({ tags }) =>
      tags.map((tag) => (
        <button
          key={tag}
          type="button"
          class="bare tag"
          onClick={() => change({ q: tag })}
          title={`Only tasks with ${tag}`}
        >
          {tag}
        </button>
      )),
  },
];
