// Which task it is, what state it is in, and its last runs.

import type { JSX } from 'preact';
import type { Run } from '../../api';
import { OUTCOMES } from '../../messages';
import { isNamed, namedTasks, taskName } from '../../net/names';
import { copy } from '../../parts/clipboard';
import { outcomeOf } from '../../parts/outcome';
import { Trouble } from '../../parts/trouble';
import { address } from '../../state/url';
import { now, screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { duration } from '../../text/duration';
import { plural } from '../../text/number';
import { ago, millis, moment } from '../../text/time';
import { StateWords } from '../tasks/parts';
import type { Questions } from './questions';

export function TaskHead({ questions }: { questions: Questions }): JSX.Element {
  const id = questions.task.value;
  const named = namedTasks.value.find((task) => task.id === id);
  const row = questions.fleet.rows.value?.[0];
  return (
    <section class="task-head" aria-label="Task">
      <p class="title">
        <b class={isNamed(id) ? '' : 'mono'}>
          <bdi>{taskName(id)}</bdi>
        </b>
        {row && <StateWords states={row.states} signs={row} />}
        {row && !row.states.length && row.finished > 0 && (
          <span class="outcome success">
            <i aria-hidden="true">✓</i> {plural(row.streak, 'success', 'successes')} in a row
          </span>
        )}
      </p>
      <p class="dim">
        <button type="button" class="bare mono" onClick={() => copy(id, 'Id')} title="Copy the id">
          {id}
        </button>
        {named?.tags.map((tag) => (
          <a key={tag} href={address('/ui/tasks', { q: tag, task_id: undefined })} class="tag">
            <bdi>{tag}</bdi>
          </a>
        ))}
        {named?.url && (
          <a href={named.url} target="_blank" rel="noreferrer">
            <bdi>{named.url}</bdi>
          </a>
        )}
      </p>
      <Last questions={questions} />
    </section>
  );
}

/** The last runs up to the end of the window as squares, the newest at the end of the line. */
function Last({ questions }: { questions: Questions }): JSX.Element {
  const runs = questions.last.answer.value?.body.items ?? [];
  const [failed, succeeded] = [false, true].map((success) => runs.find((run) => run.success === success));
  return (
    <div class="last-runs">
      <Trouble panel={questions.last} name="Last runs" />
      {runs.length > 0 && (
        <ul aria-label="Last runs, the newest at the end">
          {[...runs].reverse().map((run) => (
            <li key={run.id}>
              <Square run={run} />
            </li>
          ))}
        </ul>
      )}
      <span>
        {failed && (
          <a href={address(`/ui/runs/${failed.id}`)} class="newest-failure">
            Newest failed run
          </a>
        )}{' '}
        {runs.length > 0 && (
          <span class="dim">
            last success {since(succeeded, runs.length)} · last failure {since(failed, runs.length)}
          </span>
        )}
      </span>
    </div>
  );
}

const since = (run: Run | undefined, of: number): string =>
  run ? ago(millis(run.started_at ?? run.created_at), now.value) : `none in the last ${plural(of, 'run', 'runs')}`;

function Square({ run }: { run: Run }): JSX.Element {
  const outcome = outcomeOf(run, screenWindow.value.end);
  const { glyph, word } = OUTCOMES[outcome];
  const started = millis(run.started_at ?? run.created_at);
  const took = run.finished_at === null ? '' : `, took ${duration((millis(run.finished_at) - started) / 1000)}`;
  const text = `${word}, ${moment(started, zone.value)}${took}`;
  return (
    <a href={address(`/ui/runs/${run.id}`)} class={`square ${outcome}`} title={text}>
      <i aria-hidden="true">{glyph}</i>
      <span class="vh">{text}</span>
    </a>
  );
}
