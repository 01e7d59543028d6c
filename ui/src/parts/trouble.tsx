// What stands where an answer is missing: why, how far it came, and what can be done.

import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { daysRead } from '../messages';
import type { Problem } from '../net/ask';
import type { Failing } from '../net/failure';
import { When } from './when';

/** The trouble of a panel, or how far its answer came; nothing while all is well, or while the key is asked for. */
export function Trouble({ panel, name }: { panel: Failing; name: string }): JSX.Element | null {
  const problem = panel.trouble.value;
  if (problem?.status === 401) return null;
  return (
    <>
      {panel.progress.value && <HowFar panel={panel} name={name} />}
      {problem && <Why panel={panel} problem={problem} name={name} />}
    </>
  );
}

/** Stands where a picture will be; nothing where no answer comes. */
export const Waiting = ({ panel, height }: { panel: Failing; height: number }): JSX.Element | null =>
  panel.trouble.value ? null : <div class="plot waiting" style={{ height: `${height}px` }} />;

/** The class of what shows a panel: its answer is of an earlier question, or not all of it is here. */
export const freshness = (panel: Failing & { current: ReadonlySignal<boolean> }): string =>
  panel.progress.value ? 'in-part' : panel.current.value ? '' : 'stale';

/** How much of the window was read so far. */
function HowFar({ panel, name }: { panel: Failing; name: string }): JSX.Element {
  const { done, of, since } = panel.progress.value!;
  return (
    <p class="how-far" data-done={done}>
      <progress value={done} max={of} aria-label={name} />
      <span>
        {name}: {daysRead(done, of)}, all runs since <When at={since} />
      </span>
      {panel.goes.value ? (
        <button type="button" onClick={() => panel.halt()}>
          Stop
        </button>
      ) : (
        !panel.trouble.value && (
          <button type="button" onClick={() => panel.retry()}>
            Read all
          </button>
        )
      )}
    </p>
  );
}

function Why({ panel, problem, name }: { panel: Failing; problem: Problem; name: string }): JSX.Element {
  return (
    <div class="trouble" role="alert">
      <div>
        <b>
          {name}: {problem.title}
        </b>
        <Details problem={problem} />
      </div>
      <span class="grow" />
      {panel.retryAt.value !== null && <Countdown until={panel.retryAt.value} />}
      <button type="button" onClick={() => panel.retry()}>
        Retry
      </button>
    </div>
  );
}

function Details({ problem }: { problem: Problem }): JSX.Element {
  return (
    <>
      <p>
        <bdi>{problem.detail}</bdi>
      </p>
      {problem.requestId && <p class="dim">request {problem.requestId}</p>}
    </>
  );
}

/** Seconds until the next try. */
export function Countdown({ until }: { until: number }): JSX.Element {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 500);
    return () => clearInterval(timer);
  }, [until]);
  const left = Math.max(0, Math.ceil((until - now.value) / 1000));
  return <span class="dim">{left ? `again in ${left} s` : 'trying again…'}</span>;
}
