// What became of a run in one line, and the ways to the runs of its task before and after it.

import type { JSX } from 'preact';
import type { Context, Run, Uuid } from '../../api';
import { Outcome, outcomeOf } from '../../parts/outcome';
import { Task } from '../../parts/task';
import { address } from '../../state/url';
import { duration } from '../../text/duration';
import { millis } from '../../text/time';
import type { StoredRun } from './questions';

/** Seconds that a run took, or has been running for; null while it has not started. */
export function secondsOf(run: StoredRun, now: number): number | null {
  if (run.started_at === null) return null;
  return Math.max(0, ((run.finished_at === null ? now : millis(run.finished_at)) - millis(run.started_at)) / 1000);
}

export function Head({ run, now }: { run: StoredRun; now: number }): JSX.Element {
  const seconds = secondsOf(run, now);
  return (
    <p class="head">
      <Outcome name={outcomeOf(run as unknown as Run, now)} /> <Task id={run.task_id} />
      <span>attempt {run.attempt}</span>
      {seconds !== null && (
        <span>
          {run.finished_at === null ? 'running for' : 'took'} <b>{duration(seconds)}</b>
        </span>
      )}
      {run.lease_owner !== null && (
        <span>
          on{' '}
          <a href={address('/ui/runs', { lease_owner: run.lease_owner, task_id: undefined })}>
            <bdi>{run.lease_owner}</bdi>
          </a>
        </span>
      )}
    </p>
  );
}

export const runLink = (id: Uuid): string => address(`/ui/runs/${id}`);

/** Previous and next run of the task; the last success before it, and the next one after. */
export function Neighbours({ run, around }: { run: StoredRun; around: Context }): JSX.Element {
  const at = millis(run.started_at ?? run.created_at);
  const { previous, next, last_success_before: before, next_success_after: after } = around;
  const apart = (when: string | null): string => duration(Math.abs(millis(when ?? '') - at) / 1000);
  return (
    <nav class="neighbours" aria-label="Runs of this task">
      {previous ? (
        <a href={runLink(previous)} aria-keyshortcuts="Shift+P">
          ‹ run before
        </a>
      ) : (
        <span class="dim">first run of this task</span>
      )}
      {next ? (
        <a href={runLink(next)} aria-keyshortcuts="Shift+N">
          run after ›
        </a>
      ) : (
        <span class="dim">last run of this task</span>
      )}
      {before ? (
        <a href={runLink(before.id)}>last success: {apart(before.started_at)} before</a>
      ) : (
        <span class="dim">no success before</span>
      )}
      {run.success === false &&
        (after ? (
          <a href={runLink(after.id)}>next success: {apart(after.started_at)} after</a>
        ) : (
          <span class="dim">no success since</span>
        ))}
    </nav>
  );
}
