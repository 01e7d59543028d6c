// Overview: is something wrong, since when, where, and what does a run of it look like.

import type { JSX } from 'preact';
import { runs } from '../../messages';
import { addressOf } from '../../net/ask';
import { useScreen } from '../../net/use';
import { InView } from '../../parts/in_view';
import { Trouble } from '../../parts/trouble';
import { Page } from '../../shell/page';
import { chosenFilters } from '../../state/filters';
import { address, place } from '../../state/url';
import { percent, plural } from '../../text/number';
import { Charts } from '../runs/charts';
import { Difference } from '../runs/difference';
import { Head, Queued } from '../runs/head';
import { Nothing } from '../runs/nothing';
import { asked, brush, useSelectionKeys, zoom } from '../runs/selection';
import { beforeOf } from '../tasks/before';
import { Attention } from './attention';
import { Groups } from './errors';
import { newGroups, outstanding, type Worker } from './findings';
import { Now } from './now';
import { begin, type Questions } from './questions';
import { SinceLooked } from './since';
import { Verdict } from './verdict';

export function OverviewPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  useSelectionKeys();
  const total = questions.runs.histogram.answer.value?.body.total;
  return (
    <Page
      title="Overview"
      screen={screen}
      headline={total === undefined ? null : runs(total)}
      failed={questions.runs.failed.value}
      question={addressOf('/stats/histogram', asked.value)}
    >
      <SinceLooked />
      <Said questions={questions} />
      <Head questions={questions.runs} before={beforeOf(questions.fleet)} />
      {brush.value && <OfSelection />}
      <div class="overview">
        <div>
          {total === 0 ? <Nothing /> : <Charts questions={questions.runs} />}
          <Difference questions={questions.runs} />
          <Queued questions={questions.runs} />
          <Trouble panel={questions.fleet.counts[0]!} name="Tasks" />
          <Attention rows={questions.fleet.rows.value} />
        </div>
        <div>
          <InView seen={questions.seen}>
            <Now questions={questions} />
          </InView>
          <NewErrors questions={questions} />
          <Workers questions={questions} />
        </div>
      </div>
    </Page>
  );
}

/** Whether the window before is whole; null before the answer. */
const isComplete = (questions: Questions): boolean | null =>
  questions.fleet.counts[0]!.answer.value?.body.previous_complete ?? null;

function Said({ questions }: { questions: Questions }): JSX.Element {
  const { fleet, errors, owners } = questions;
  const answers = [errors, owners].every((panel) => panel.answer.value ?? panel.trouble.value);
  return (
    <>
      {fleet.rows.value && answers ? (
        <Verdict
          rows={fleet.rows.value}
          groups={newGroups(errors.answer.value?.body.groups ?? [], isComplete(questions) === true)}
          workers={owners.answer.value ? outstanding(owners.answer.value.body) : []}
        />
      ) : (
        <p class="verdict skeleton waiting">…</p>
      )}
      {Object.keys(chosenFilters.value).length > 0 && (
        <p class="note">
          The filters apply to the pictures and to new errors. Tasks, workers and “Now” are of all runs.
        </p>
      )}
    </>
  );
}

function OfSelection(): JSX.Element {
  return (
    <p>
      <a href={address('/ui/runs', { brush: place.value.query['brush'] })}>Show the selected runs</a> ·{' '}
      <button type="button" class="bare" onClick={() => zoom(brush.peek())}>
        Zoom to them <kbd>z</kbd>
      </button>
    </p>
  );
}

function NewErrors({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.errors.answer.value?.body;
  const complete = isComplete(questions);
  const groups = newGroups(answer?.groups ?? [], complete === true);
  return (
    <section class="panel" aria-labelledby="new-errors">
      <h2 id="new-errors" title="No run of the group in the 28 days before the window">
        New errors
      </h2>
      <Trouble panel={questions.errors} name="Errors" />
      {groups.length > 0 && <Groups groups={groups} when="in the window" since />}
      {answer && complete !== null && !groups.length && (
        <p class="dim">
          {complete
            ? 'None: every error of the window was seen in the 28 days before.'
            : 'The history begins after the window before this one, so nothing can be called new.'}
        </p>
      )}
      {answer && answer.total_groups > 0 && (
        <p>
          <a href={address('/ui/errors')}>All {plural(answer.total_groups, 'error', 'errors')}</a>
        </p>
      )}
    </section>
  );
}

function Workers({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.owners.answer.value?.body;
  const found = answer ? outstanding(answer) : [];
  return (
    <section class="panel" aria-labelledby="workers">
      <h2 id="workers" title="Failed share at least 4 standard errors above that of all other workers">
        Workers that stand out
      </h2>
      <Trouble panel={questions.owners} name="Workers" />
      {found.length > 0 && (
        <ul class="groups">
          {found.map((worker) => (
            <WorkerLine key={worker.name} worker={worker} />
          ))}
        </ul>
      )}
      {answer && !found.length && <p class="dim">None of {plural(answer.total_owners, 'worker', 'workers')}.</p>}
      {answer && (
        <p>
          <a href={address('/ui/workers')}>All {plural(answer.total_owners, 'worker', 'workers')}</a>
        </p>
      )}
    </section>
  );
}

function WorkerLine({ worker }: { worker: Worker }): JSX.Element {
  return (
    <li data-worker={worker.name}>
      <b class="often">{percent(worker.share)}</b>
      <div>
        <a href={address('/ui/runs', { lease_owner: worker.name, status: 'failed' })} class="clip">
          <bdi>{worker.name}</bdi>
        </a>
        <span class="dim">
          {worker.failed.toLocaleString('en')} of {runs(worker.runs)} failed; of all others {percent(worker.others)}
        </span>
      </div>
    </li>
  );
}
