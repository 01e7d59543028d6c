// Task: how one task does, against the window before and over a year, and all its runs.

import type { JSX } from 'preact';
import { runs } from '../../messages';
import { addressOf } from '../../net/ask';
import { taskName } from '../../net/names';
import { isSettled } from '../../net/screen';
import { useRows, useScreen } from '../../net/use';
import { Different } from '../../parts/different';
import { InView } from '../../parts/in_view';
import { freshness, Trouble } from '../../parts/trouble';
import { Page } from '../../shell/page';
import { address } from '../../state/url';
import { plural, sum } from '../../text/number';
import { Parts } from '../error_group/spread';
import { Groups } from '../overview/errors';
import { Charts } from '../runs/charts';
import { Difference } from '../runs/difference';
import { useListKeys } from '../runs/drawer';
import { Head, Queued } from '../runs/head';
import { List } from '../runs/list';
import { listed } from '../runs/questions';
import { beforeOf } from '../tasks/before';
import { Distribution } from './distribution';
import { TaskHead } from './head';
import { Calendar, Hours } from './heat';
import { begin, type Questions, tooLong } from './questions';
import { Trend } from './trend';

const COMMON = 'What its failures have in common';

export function TaskPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  const { seen } = questions;
  const rows = useRows(screen, () => (seen.list.value ? listed.value : null));
  useListKeys();
  const total = questions.runs.histogram.answer.value?.body.total;
  // Until all above is there, what lies further down seems to be in view.
  const known = total !== undefined && questions.trend.value !== null && isSettled(questions.last);
  const never = questions.last.answer.value?.body.total === 0;
  return (
    <Page
      title={taskName(questions.task.value)}
      screen={screen}
      headline={total === undefined ? null : runs(total)}
      failed={questions.runs.failed.value}
      question={addressOf('/runs', listed.value)}
    >
      <TaskHead questions={questions} />
      {never && <p class="note">No run of this task is known before the end of the window.</p>}
      <Trouble panel={questions.fleet.counts[0]!} name="State of the task" />
      <Head questions={questions.runs} before={beforeOf(questions.fleet, questions.task.value)} />
      <Charts questions={questions.runs} />
      <Difference questions={questions.runs} />
      <div class="pair">
        <Trend questions={questions} />
        <Distribution questions={questions} />
      </div>
      {known && <InView seen={seen.before}>{null}</InView>}
      <InView seen={seen.heat} class="pair">
        <Calendar questions={questions} />
        <Hours questions={questions} />
      </InView>
      <InView seen={seen.causes} class="pair even">
        <Errors questions={questions} />
        <div>
          <div class="panel">
            <Different panel={questions.differs} title={COMMON} tooLong={tooLong.value} />
          </div>
          <Owners questions={questions} />
        </div>
      </InView>
      <InView seen={seen.list} class="of-task">
        <h2>Runs</h2>
        <Queued questions={questions.runs} />
        <List questions={questions.runs} rows={rows} without="task" />
      </InView>
    </Page>
  );
}

/** The workers that ran most of its runs. */
function Owners({ questions: { owners, task } }: { questions: Questions }): JSX.Element {
  const answer = owners.answer.value?.body;
  const parts = (answer?.series ?? []).flatMap(({ key, runs: counts }) =>
    key === null
      ? []
      : [
          {
            key,
            name: <bdi>{key}</bdi>,
            runs: sum(counts),
            filter: { task_id: task.value, lease_owner: key },
          },
        ],
  );
  return (
    <section class={`panel ${freshness(owners)}`} aria-label="Its workers">
      <Trouble panel={owners} name="Its workers" />
      {answer ? (
        <Parts title="Its workers" parts={parts} total={answer.total} others="Other workers, or none" />
      ) : (
        <p class="skeleton waiting">…</p>
      )}
    </section>
  );
}

function Errors({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.errors.answer.value?.body;
  return (
    <section class="panel" aria-labelledby="errors">
      <h2 id="errors">Its errors</h2>
      <Trouble panel={questions.errors} name="Errors" />
      {!answer && !questions.errors.trouble.value && <p class="skeleton waiting">…</p>}
      {answer && answer.groups.length > 0 && <Groups groups={answer.groups} />}
      {answer && !answer.groups.length && <p class="dim">No run failed with an error in this window.</p>}
      {answer && answer.total_groups > answer.groups.length && (
        <p>
          <a href={address('/ui/errors', { task_id: questions.task.value })}>
            All {plural(answer.total_groups, 'error', 'errors')}
          </a>
        </p>
      )}
    </section>
  );
}
