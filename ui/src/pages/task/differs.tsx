// What its failures have in common: workers, attempts and hours in which they are more frequent than other runs.

import type { JSX } from 'preact';
import type { Breakdown, Share } from '../../api';
import { Trouble } from '../../parts/trouble';
import { address } from '../../state/url';
import { percent, plural } from '../../text/number';
import { times } from '../tasks/states';
import { type Questions, tooLong } from './questions';

const LEAST = 3; // failures
const SURE = 4; // standard errors: above it, chance is no explanation

interface Common extends Share {
  by: string;
  name: string;
}

const NAMES: Record<string, (value: Share['value']) => string> = {
  owner: (value) => `${value ?? 'no worker'}`,
  attempt: (value) => `attempt ${value}`,
  hour: (value) => `${String(value).padStart(2, '0')}:00 UTC`,
};

/** How far a share of the failures is above that of all other runs, in standard errors. */
function sureness({ selected, selected_share, baseline_share }: Share): number {
  const failures = selected / selected_share;
  const spread = Math.sqrt((baseline_share * (1 - baseline_share)) / failures);
  return (selected_share - baseline_share) / Math.max(spread, 1e-9);
}

/** What is far more frequent among the failures than elsewhere, the most outstanding first. */
function inCommon(answer: Breakdown): Common[] {
  return Object.entries(answer.by)
    .flatMap(([by, shares]) => shares.map((share) => ({ ...share, by, name: NAMES[by]!(share.value) })))
    .filter((share) => share.selected >= LEAST && sureness(share) >= SURE)
    .sort((a, b) => b.selected_share - b.baseline_share - (a.selected_share - a.baseline_share))
    .slice(0, 6);
}

export function Differs({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.differs.answer.value?.body;
  const found = answer ? inCommon(answer) : [];
  return (
    <section class="panel" aria-labelledby="differs">
      <h2 id="differs" title="Compared with all other runs of the window, of all tasks">
        What its failures have in common
      </h2>
      <Trouble panel={questions.differs} name="What its failures have in common" />
      {found.length > 0 && (
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Worker, attempt or hour</th>
              <th scope="col" class="end">
                Of its failures
              </th>
              <th scope="col" class="end">
                Of other runs
              </th>
              <th scope="col" class="end">
                Times
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map((common) => (
              <Line key={common.name} common={common} task={questions.task.value} />
            ))}
          </tbody>
        </table>
      )}
      {answer && !found.length && <p class="dim">{nothing(answer)}</p>}
      {tooLong.value && <p class="dim">Shown for windows of at most 31 days.</p>}
      {!answer && !tooLong.value && !questions.differs.trouble.value && <p class="skeleton waiting">…</p>}
    </section>
  );
}

const nothing = ({ selected }: Breakdown): string =>
  selected
    ? `None of the workers, attempts and hours is over-represented among ${plural(selected, 'failure', 'failures')}.`
    : 'No run failed in this window.';

function Line({ common, task }: { common: Common; task: string }): JSX.Element {
  const { by, name, selected, selected_share, baseline_share, lift } = common;
  const owner = by === 'owner' && common.value !== null;
  return (
    <tr>
      <td class="clip">
        {owner ? (
          <a href={address('/ui/runs', { task_id: task, status: 'failed', lease_owner: name })}>
            <bdi>{name}</bdi>
          </a>
        ) : (
          name
        )}
      </td>
      <td class="end" title={plural(selected, 'failure', 'failures')}>
        {percent(selected_share)}
      </td>
      <td class="end">{percent(baseline_share)}</td>
      <td class="end">{lift === null ? 'only here' : <b>{times(lift)}</b>}</td>
    </tr>
  );
}
