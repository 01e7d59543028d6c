// What stands where an answer is missing: why, and what can be done.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Problem } from '../net/ask';
import type { Failing } from '../net/failure';

/** The trouble of a panel; nothing while all is well, or while the key is asked for. */
export function Trouble({ panel, name }: { panel: Failing; name: string }): JSX.Element | null {
  const problem = panel.trouble.value;
  if (!problem || problem.status === 401) return null;
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
