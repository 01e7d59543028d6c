// What stands around a run: other attempts at the same work, and how its duration compares.

import type { JSX } from 'preact';
import type { Context, Durations, RunRef } from '../../api';
import { cellOf } from '../../chart/brush';
import { Spark } from '../../chart/spark';
import { againstMost, attemptsFound, comparedDuration, distributionLabel } from '../../messages';
import { Outcome } from '../../parts/outcome';
import { When } from '../../parts/when';
import { duration } from '../../text/duration';
import { millis } from '../../text/time';
import { percentiles } from '../runs/questions';
import { runLink, secondsOf } from './head';
import type { StoredRun } from './questions';

/** The attempts at the same work; nothing where there is only this one. */
export function Attempts({ run, around }: { run: StoredRun; around: Context }): JSX.Element | null {
  if (around.attempts.length < 2) return null;
  return (
    <section aria-label="Attempts">
      <h2>
        Attempts <span class="dim note">{attemptsFound(around.candidates)}</span>
      </h2>
      <ol class="attempts">
        {around.attempts.map((attempt) => (
          <li key={attempt.id}>
            <a href={runLink(attempt.id)} aria-current={attempt.id === run.id ? 'true' : undefined}>
              {attempt.attempt} <Outcome name={stateOf(attempt, around.attempts)} />{' '}
              {attempt.started_at && <When at={attempt.started_at} />}
            </a>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** An open attempt that another one followed did not end before its lease did. */
function stateOf(
  { attempt, success, started_at }: RunRef,
  all: RunRef[],
): 'success' | 'failed' | 'lost' | 'running' | 'queued' {
  if (success !== null) return success ? 'success' : 'failed';
  if (all.some((other) => other.attempt > attempt)) return 'lost';
  return started_at === null ? 'queued' : 'running';
}

const WIDTH = 240;
const HEIGHT = 34;

interface RankProps {
  run: StoredRun;
  around: Context;
  durations: Durations | undefined;
}

/** How its duration compares with those of the task, in words and as a picture. */
export function Rank({ run, around, durations }: RankProps): JSX.Element | null {
  const rank = around.duration_rank;
  const seconds = secondsOf(run, millis(run.finished_at ?? ''));
  if (!rank || seconds === null) return null;
  return (
    <section aria-label="Duration" class="rank">
      <p>{comparedDuration(rank)}</p>
      {durations && <AgainstMost seconds={seconds} durations={durations} />}
      {durations && durations.timed > 1 && <Distribution durations={durations} seconds={seconds} />}
    </section>
  );
}

/** Its duration as a bar, beside the one that 95 % of the runs of its task stay below. */
function AgainstMost({ seconds, durations }: { seconds: number; durations: Durations }): JSX.Element | null {
  const { p95, within } = percentiles(durations);
  if (!p95) return null;
  const scale = Math.max(seconds, p95);
  return (
    <p class="against">
      <span class="took" style={{ width: `${WIDTH}px` }} title={within ? `Within ${within}` : undefined}>
        <i aria-hidden="true" style={{ width: `${(seconds / scale) * 100}%` }} />
        <i aria-hidden="true" class="limit" style={{ insetInlineStart: `${(p95 / scale) * 100}%` }} />
        <span>{duration(seconds)}</span>
      </span>{' '}
      {againstMost(seconds / p95, duration(p95))}
    </p>
  );
}

function Distribution({ durations, seconds }: { durations: Durations; seconds: number }): JSX.Element {
  const edges = durations.row_edges_seconds;
  const rows = edges.length - 1;
  const failed = new Array<number>(rows).fill(0);
  const all = new Array<number>(rows).fill(0);
  const { success, failed: bad } = durations;
  for (const [at, row] of success.y.entries()) all[row]! += success.n[at]!;
  for (const [at, row] of bad.y.entries()) {
    all[row]! += bad.n[at]!;
    failed[row]! += bad.n[at]!;
  }
  // Runs that took no time are far from all others: nothing is drawn of what lies between.
  const held = all.findIndex((n, row) => n > 0 && edges[row]! > 0);
  const skipped = edges[0] === 0 && held > 1 ? held - 1 : 0;
  const without = (counts: number[]): number[] => counts.filter((_, row) => row === 0 || row > skipped);
  const here = (Math.max(0, cellOf(edges, seconds) - skipped) + 0.5) / (rows - skipped);
  return (
    <div class="distribution" style={{ width: `${WIDTH}px` }}>
      <Spark
        runs={without(all)}
        failed={without(failed)}
        label={distributionLabel(durations.timed)}
        width={WIDTH}
        height={HEIGHT}
      />
      <i aria-hidden="true" style={{ insetInlineStart: `${here * 100}%` }} />
      <span class="dim">
        <span>{duration(edges[0]!)}</span>
        <span>{duration(edges[rows]!)}</span>
      </span>
    </div>
  );
}
