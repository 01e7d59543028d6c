// Groups of errors in a few words, each with a way to its runs.

import type { JSX } from 'preact';
import type { ErrorGroup } from '../../api';
import { Spark } from '../../chart/spark';
import { runs } from '../../messages';
import { Change } from '../../parts/change';
import { address } from '../../state/url';
import { now } from '../../state/window';
import { count, plural } from '../../text/number';
import { ago, millis } from '../../text/time';

export const errorName = ({ kind, message }: ErrorGroup): string => (kind ? `${kind}: ${message}` : message);

interface GroupsProps {
  groups: readonly ErrorGroup[];
  /** Those of them that are new. */
  fresh?: readonly ErrorGroup[];
  /** Whether there is a window before to compare with. */
  compared?: boolean;
}

/** A line a group: how often in the window, how much more than before, what, since when if it is new, in how many tasks, and the newest run. */
export function Groups({ groups, fresh = [], compared }: GroupsProps): JSX.Element {
  return (
    <ul class="groups">
      {groups.map((group) => (
        <li key={group.id} data-group={group.id}>
          <div class="often">
            <b title={`${runs(group.runs)} in the window`}>{count(group.runs)}×</b>
            {compared && <Change now={group.runs} before={group.previous_runs} />}
          </div>
          <div>
            <a href={address(`/ui/errors/${group.id}`)} class="clip" title={errorName(group)}>
              {fresh.includes(group) && <b class="new">new</b>}
              <bdi>{errorName(group)}</bdi> {group.frame && <span class="dim">{group.frame}</span>}
            </a>
            <span class="dim">
              {fresh.includes(group) && `first ${ago(millis(group.first_seen), now.value)} · `}
              {plural(group.tasks, 'task', 'tasks')} · {plural(group.owners, 'worker', 'workers')}
              {group.sample && group.last_seen && (
                <>
                  {' · '}
                  <a href={address(`/ui/runs/${group.sample}`)}>last {ago(millis(group.last_seen), now.value)}</a>
                </>
              )}
            </span>
          </div>
          <Spark runs={group.spark} label={`${runs(group.runs)} over time`} width={64} height={20} tone="failed" />
        </li>
      ))}
    </ul>
  );
}
