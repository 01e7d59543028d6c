// Overview: is something wrong, since when, where, and what does a run of it look like.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Errors as ErrorsAnswer } from '../../api';
import { runs } from '../../messages';
import { addressOf } from '../../net/ask';
import { isSettled } from '../../net/screen';
import { useScreen } from '../../net/use';
import { InView } from '../../parts/in_view';
import { Trouble } from '../../parts/trouble';
import { Page } from '../../shell/page';
import { chosenFilters } from '../../state/filters';
import { address, place } from '../../state/url';
import { moves, screenWindow } from '../../state/window';
import { count, percent, plural } from '../../text/number';
import { millis } from '../../text/time';
import { Bars, Density } from '../runs/charts';
import { Difference } from '../runs/difference';
import { Head } from '../runs/head';
import { Nothing } from '../runs/nothing';
import { asked, brush, useSelectionKeys, zoom } from '../runs/selection';
import { beforeOf } from '../tasks/before';
import { Attention } from './attention';
import { Groups } from './errors';
import { newGroups, outstanding, telling, type Worker } from './findings';
import { Now } from './now';
import { begin, type Questions } from './questions';
import { SinceLooked } from './since';
import { Verdict } from './verdict';

export function OverviewPage(): JSX.Element {
  const [screen, questions] = useScreen(begin);
  useSelectionKeys();
  const hover = useSignal<number | null>(null);
  const { seen } = questions;
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
          {total === 0 ? (
            <Nothing />
          ) : (
            <div class="charts">
              <Bars questions={questions.runs} hover={hover} />
            </div>
          )}
          <Difference questions={questions.runs} />
          <Trouble panel={questions.fleet.counts[0]!} name="Tasks" />
          <Attention rows={questions.fleet.rows.value} />
        </div>
        <div>
          <InView seen={seen.now}>
            <Now questions={questions} />
          </InView>
          <Errors questions={questions} />
          <Workers questions={questions} />
        </div>
        {isKnown(questions) && total !== 0 && (
          <InView seen={seen.durations} class="charts" least={120}>
            {seen.durations.value ? (
              <Density questions={questions.runs} hover={hover} />
            ) : (
              <div class="plot" style={{ height: '256px' }} />
            )}
          </InView>
        )}
      </div>
    </Page>
  );
}

/** Whether the window before is whole; null before the answer. */
const isComplete = (questions: Questions): boolean | null =>
  questions.fleet.counts[0]!.answer.value?.body.previous_complete ?? null;

/** Whether all came that the first line needs: until then, what lies further down seems to be in view. */
const isKnown = ({ fleet, errors, owners }: Questions): boolean => [fleet.counts[0]!, errors, owners].every(isSettled);

function Said({ questions }: { questions: Questions }): JSX.Element {
  const { fleet, errors, owners } = questions;
  return (
    <>
      {fleet.rows.value && isKnown(questions) ? (
        <Verdict
          rows={fleet.rows.value}
          groups={newGroups(errors.answer.value?.body.groups ?? [], isComplete(questions) === true)}
          workers={owners.answer.value ? outstanding(owners.answer.value.body) : []}
        />
      ) : (
        <p class="verdict skeleton waiting">…</p>
      )}
      {Object.keys(chosenFilters.value).length > 0 && (
        <p class="note">The filters apply to the pictures and to errors. Tasks, workers and “Now” are of all runs.</p>
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

const HOUR = 3_600_000;

function Errors({ questions }: { questions: Questions }): JSX.Element {
  const answer = questions.errors.answer.value?.body;
  const compared = isComplete(questions) === true;
  const fresh = newGroups(answer?.groups ?? [], compared);
  return (
    <section class="panel" aria-labelledby="errors">
      <h2 id="errors" title="New ones, then those that have become more frequent since the window before">
        Errors
      </h2>
      <Trouble panel={questions.errors} name="Errors" />
      {!answer && !questions.errors.trouble.value && <p class="skeleton waiting">…</p>}
      {answer && answer.groups.length > 0 && (
        <Groups groups={telling(answer.groups, fresh)} fresh={fresh} compared={compared} />
      )}
      {answer && (answer.total_groups ? <AllErrors answer={answer} /> : <p class="dim">None.</p>)}
    </section>
  );
}

/** How many errors there are, and how many of them go on: where all are known, up to the present. */
function AllErrors({ answer }: { answer: ErrorsAnswer }): JSX.Element {
  const { start, end } = screenWindow.value;
  const going = answer.groups.filter(({ last_seen }) => last_seen && millis(last_seen) >= end - HOUR).length;
  const known = moves.value && end - start >= HOUR && answer.total_groups <= answer.groups.length;
  return (
    <p>
      <a href={address('/ui/errors')}>All {plural(answer.total_groups, 'error', 'errors')}</a>
      {known && (
        <span class="dim" data-going={going}>
          {' · '}
          {going ? count(going) : 'none'} in the last hour
        </span>
      )}
    </p>
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
      {!answer && !questions.owners.trouble.value && <p class="skeleton waiting">…</p>}
      {answer && !found.length && <p class="dim">None.</p>}
      {answer && answer.total_owners > 0 && (
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
