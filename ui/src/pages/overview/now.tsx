// What is going on at this moment, whatever the window shows.

import type { JSX } from 'preact';
import type { Run } from '../../api';
import { OUTCOMES, type Outcome } from '../../messages';
import { outcomeOf } from '../../parts/outcome';
import { Task } from '../../parts/task';
import { Trouble } from '../../parts/trouble';
import { address } from '../../state/url';
import { now, STEP } from '../../state/window';
import { count } from '../../text/number';
import { ago, millis } from '../../text/time';
import { isWhole } from '../tasks/before';
import type { Questions } from './questions';

interface Open {
  running: number;
  queued: number;
  lost: number;
  oldest: Run | null;
}

/** The open runs by what they are; null before the answers. */
function openRuns({ open, oldest, lost, queued, runs }: Questions): Open | null {
  const answer = open.answer.value;
  if (!answer) return null;
  const { items, total } = answer.body;
  if (total <= items.length) {
    // Whether a lease is over is for the clock of the service to say, which goes in steps.
    const at = Math.floor((answer.served ?? answer.at) / STEP) * STEP;
    const of = (name: Outcome): number => items.filter((run) => outcomeOf(run, at) === name).length;
    return { running: of('running'), queued: of('queued'), lost: of('lost'), oldest: items.at(-1) ?? null };
  }
  const gone = lost.answer.value?.body.total;
  const waiting = isWhole() ? runs.histogram.answer.value?.body.queued : queued.answer.value?.body.total;
  if (gone === undefined || waiting === undefined) return null;
  const first = oldest.answer.value?.body.items[0] ?? null;
  return { running: total - gone - waiting, queued: waiting, lost: gone, oldest: first };
}

const SHOWN = ['running', 'queued', 'lost'] as const;

export function Now({ questions }: { questions: Questions }): JSX.Element {
  const found = openRuns(questions);
  return (
    <section class="panel" aria-labelledby="now">
      <h2 id="now">Now</h2>
      <Trouble panel={questions.open} name="Open runs" />
      <div class="counts">
        {SHOWN.map((name) => (
          <Count key={name} name={name} n={found?.[name]} />
        ))}
      </div>
      {found?.oldest && (
        <p>
          <span class="dim">Open for longest:</span> <Task id={found.oldest.task_id} />,{' '}
          <a href={address(`/ui/runs/${found.oldest.id}`)}>
            {ago(millis(found.oldest.started_at ?? found.oldest.created_at), now.value)}
          </a>
        </p>
      )}
    </section>
  );
}

/** A number of open runs, and the way to them; queued runs are in no window and have a list of their own. */
function Count({ name, n }: { name: (typeof SHOWN)[number]; n: number | undefined }): JSX.Element {
  const shown = {
    class: `outcome ${n ? name : 'queued'}`,
    title: MEANS[name],
    'data-open': n,
    children: (
      <>
        <b>{n === undefined ? '–' : count(n)}</b>
        <span>
          <i aria-hidden="true">{OUTCOMES[name].glyph}</i> {OUTCOMES[name].word}
        </span>
      </>
    ),
  };
  const parameters = name === 'queued' ? { queued: 'open' } : { status: name, ...LONG };
  return <a {...shown} href={address('/ui/runs', parameters)} />;
}

/** A window that open runs lie in. */
const LONG = { range: '30d', start_time: undefined, end_time: undefined };

const MEANS = {
  running: 'Started, not finished, and not lost',
  queued: 'Not started yet',
  lost: 'Started and not finished, but the lease is over: the worker is probably gone',
} as const;
