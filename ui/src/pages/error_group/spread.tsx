// How the runs of a group are spread over tasks and workers.

import type { ComponentChild, JSX } from 'preact';
import type { ErrorGroupDetail } from '../../api';
import { restOf, spreadRest } from '../../messages';
import { Worker } from '../../parts/different';
import { Task } from '../../parts/task';
import type { Change } from '../../state/url';
import { count, percent } from '../../text/number';
import { runsAddress } from '../errors/links';

interface Part {
  key: string;
  name: ComponentChild;
  runs: number;
  /** The filter that selects these runs; null where there is none. */
  filter: Change | null;
}

export function Spread({ found, tooLong }: { found: ErrorGroupDetail; tooLong: boolean }): JSX.Element {
  const tasks = found.by_task.map(({ task_id, runs }) => ({
    key: task_id,
    name: <Task id={task_id} />,
    runs,
    filter: { error_group: found.id, task_id },
  }));
  const owners = found.by_owner.map(({ owner, runs }) => ({
    key: owner ?? '',
    name: <Worker name={owner} />,
    runs,
    // The runs of one worker are listed for at most 31 days.
    filter: owner === null || tooLong ? null : { error_group: found.id, lease_owner: owner },
  }));
  const none = owners.filter(({ key }) => !key).length;
  return (
    <>
      <Parts title="Tasks" parts={tasks} total={found.runs} others={spreadRest(found.tasks - tasks.length, 'task')} />
      <Parts
        title="Workers"
        parts={owners}
        total={found.runs}
        others={spreadRest(found.owners - owners.length + none, 'worker')}
      />
    </>
  );
}

interface PartsProps {
  title: string;
  parts: Part[];
  total: number;
  /** What all other parts are called. */
  others: string;
}

/** The greatest parts of some runs, with their shares, and how many runs are in none of them. */
export function Parts({ title, parts, total, others }: PartsProps): JSX.Element {
  const rest = total - parts.reduce((sum, { runs }) => sum + runs, 0);
  return (
    <section class="spread">
      <h2>{title}</h2>
      <ul>
        {parts.map(({ key, name, runs, filter }) => (
          <li key={key}>
            <span class="name">{name}</span>
            <span class="share" aria-hidden="true">
              <i style={{ width: `${(runs / total) * 100}%` }} />
            </span>
            <span class="end">
              {filter ? (
                <a href={runsAddress(filter)} title="These runs">
                  {count(runs)}
                </a>
              ) : (
                count(runs)
              )}
            </span>
            <span class="dim end">{percent(runs / total)}</span>
          </li>
        ))}
      </ul>
      {rest > 0 && <p class="dim">{restOf(others, rest)}</p>}
    </section>
  );
}
