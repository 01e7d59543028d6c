// Groups of errors in a few words, each with a way to its runs.

import type { JSX } from 'preact';
import type { ErrorGroup } from '../../api';
import { Spark } from '../../chart/spark';
import { runs } from '../../messages';
import { address } from '../../state/url';
import { now } from '../../state/window';
import { count, plural } from '../../text/number';
import { ago, millis } from '../../text/time';

export const errorName = ({ kind, message }: ErrorGroup): string => (kind ? `${kind}: ${message}` : message);

interface GroupsProps {
  groups: readonly ErrorGroup[];
  /** What the counts are of. */
  when: string;
  /** Whether to say when a group was first seen. */
  since?: boolean;
}

/** A line a group: how often, what, in how many tasks, and the newest of its runs. */
export function Groups({ groups, when, since }: GroupsProps): JSX.Element {
  return (
    <ul class="groups">
      {groups.map((group) => (
        <li key={group.id} data-group={group.id}>
          <b class="often" title={`${runs(group.runs)} ${when}`}>
            {count(group.runs)}×
          </b>
          <div>
            <a href={address(`/ui/errors/${group.id}`)} class="clip" title={errorName(group)}>
              <bdi>{errorName(group)}</bdi>
            </a>
            <span class="dim">
              {since && `new since ${ago(millis(group.first_seen), now.value).replace(' ago', '')} · `}
              {plural(group.tasks, 'task', 'tasks')} · {plural(group.owners, 'worker', 'workers')}
              {group.sample && (
                <>
                  {' · '}
                  <a href={address(`/ui/runs/${group.sample}`)}>newest run</a>
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
