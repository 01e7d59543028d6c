// A run with all that is known of it. The page of a run shows it, and the drawer of a list.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { sameError } from '../../messages';
import { ErrorText } from '../../parts/trace';
import { Trouble } from '../../parts/trouble';
import { address } from '../../state/url';
import { Attempts, Rank } from './around';
import { Head, Neighbours } from './head';
import { Output } from './output';
import { comparedWith, type Questions, type StoredRun } from './questions';
import { Record } from './record';
import { Timeline } from './timeline';

const TICK = 1000; // milliseconds
const AGAIN = 5; // ticks until an open run is asked for again

/** The time, which goes on while a run is open; then the run is asked for again as well. */
function useNow(open: boolean, again: () => void): number {
  const now = useSignal(Date.now());
  useEffect(() => {
    if (!open) return;
    let ticks = 0;
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return;
      now.value = Date.now();
      if (++ticks % AGAIN === 0) again();
    }, TICK);
    return () => clearInterval(timer);
  }, [open]);
  return now.value;
}

interface RunViewProps {
  run: StoredRun;
  questions: Questions;
}

export function RunView({ run, questions }: RunViewProps): JSX.Element {
  const now = useNow(run.finished_at === null, () => questions.run.retry());
  const around = questions.around.answer.value?.body;
  const stale = (panel: Questions[keyof Questions]): string => (panel.current.value ? '' : 'stale');
  return (
    <article class={`run ${stale(questions.run)}`}>
      <Head run={run} now={now} />
      {around && <Neighbours run={run} around={around} />}
      <Timeline run={run} now={now} />
      <Trouble panel={questions.around} name="Other runs" />
      {around && (
        <div class={stale(questions.around)}>
          <Rank run={run} around={around} durations={questions.durations.answer.value?.body} />
          <Attempts run={run} around={around} />
        </div>
      )}
      {run.error !== null && (
        <section aria-label="Error" key={run.id}>
          <ErrorText error={run.error} />
          <SameError run={run} questions={questions} />
        </section>
      )}
      {run.output !== null && <Output key={run.id} text={run.output} task={run.task_id} />}
      <Record run={run} />
    </article>
  );
}

/** Where else the error was seen, up to this run. */
function SameError({ run, questions }: RunViewProps): JSX.Element | null {
  const group = questions.group.answer.value?.body;
  if (!group || !questions.group.current.value) return <Trouble panel={questions.group} name="Same error" />;
  const window = { range: undefined, ...comparedWith(run), task_id: undefined };
  return (
    <p>
      {sameError(group)} <a href={address(`/ui/errors/${group.id}`, window)}>The group of this error</a> ·{' '}
      <a href={address('/ui/runs', { ...window, error_group: group.id })}>Its runs</a>
    </p>
  );
}
