// One run: what became of it, its error, its output, and all its fields as they are stored.

import type { JSX } from 'preact';
import type { Run } from '../api';
import { addressOf } from '../net/ask';
import { useScreen } from '../net/use';
import { Outcome, outcomeOf } from '../parts/outcome';
import { Task } from '../parts/task';
import { Trouble } from '../parts/trouble';
import { When } from '../parts/when';
import { Page } from '../shell/page';
import { place } from '../state/url';
import { now } from '../state/window';
import { duration } from '../text/duration';
import { type Json, parseExact, pretty } from '../text/json';
import { millis } from '../text/time';
import { plain } from '../text/trace';

type ExactRun = Omit<Run, 'output'> & { output: Json };

/** The id in the address of this page; empty once another page is on its way. */
const idOf = (path: string): string => /^\/ui\/runs\/([^/]+)/.exec(path)?.[1] ?? '';

/** The address of the run in the API; none while another page is shown. */
function question(): string | null {
  const id = idOf(place.value.path);
  return id ? addressOf('/runs/{run_id}', {}, { run_id: id }) : null;
}

export function RunPage(): JSX.Element {
  const [screen, panel] = useScreen((made) => made.askAddress<ExactRun>(question, parseExact));
  const run = panel.answer.value?.body;
  const missing = panel.trouble.value?.status === 404;
  return (
    <Page title="Run" screen={screen} question={question()}>
      {missing ? (
        <p class="nothing">There is no run with the id {idOf(place.value.path)}.</p>
      ) : (
        <Trouble panel={panel} name="Run" />
      )}
      {run && !missing && <Shown run={run} />}
    </Page>
  );
}

function Shown({ run }: { run: ExactRun }): JSX.Element {
  return (
    <article class="run">
      <p class="head">
        <Outcome name={outcomeOf(run as Run, now.value)} /> <Task id={run.task_id} />{' '}
        <span>attempt {String(run.attempt)}</span>
        {run.started_at && run.finished_at && (
          <span>
            took <b>{duration((millis(run.finished_at) - millis(run.started_at)) / 1000)}</b>
          </span>
        )}
      </p>
      {run.error !== null && (
        <section>
          <h2>Error</h2>
          <pre dir="auto">{plain(run.error)}</pre>
        </section>
      )}
      {run.output !== null && (
        <section>
          <h2>Output</h2>
          <pre dir="auto">{pretty(run.output)}</pre>
        </section>
      )}
      <section>
        <h2>Record</h2>
        <Record run={run} />
      </section>
    </article>
  );
}

const TIMES = ['created_at', 'started_at', 'finished_at', 'leased_until'] as const;

function Record({ run }: { run: ExactRun }): JSX.Element {
  return (
    <dl class="record">
      <dt>id</dt>
      <dd class="mono">{run.id}</dd>
      <dt>task_id</dt>
      <dd class="mono">{run.task_id}</dd>
      <dt>lease_owner</dt>
      <dd>
        <bdi>{run.lease_owner ?? '–'}</bdi>
      </dd>
      {TIMES.map((name) => (
        <>
          <dt>{name}</dt>
          <dd>
            {run[name] === null ? (
              '–'
            ) : (
              <>
                <When at={run[name]} /> <span class="dim mono">{run[name]}</span>
              </>
            )}
          </dd>
        </>
      ))}
    </dl>
  );
}
