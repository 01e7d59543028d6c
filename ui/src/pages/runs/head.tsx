// The numbers of the window, or of the selection.

import type { JSX } from 'preact';
import { otherRuns, runs, successShare } from '../../messages';
import { oldest } from '../../net/about';
import { freshness } from '../../parts/trouble';
import { screenWindow } from '../../state/window';
import { zone } from '../../state/zone';
import { duration } from '../../text/duration';
import { count, difference, percent, sum } from '../../text/number';
import { millis, span } from '../../text/time';
import { failedOf, type Questions } from './questions';
import { brush, select } from './selection';

/** The finished and the open runs of a histogram. */
function counts(
  questions: Questions,
): { total: number; success: number; failed: number; seconds: number; timed: number } | null {
  const panel = brush.value ? questions.part : questions.histogram;
  const answer = panel.shown.value;
  if (!answer) return null;
  const of = (key: string): number => sum(answer.series.find((series) => series.key === key)?.runs ?? []);
  return {
    total: answer.total,
    success: of('success'),
    failed: of('failed'),
    seconds: sum(answer.seconds),
    timed: sum(answer.timed),
  };
}

/** Figures of the window of equal length before. */
export interface Before {
  total: number;
  failed: number;
}

interface HeadProps {
  questions: Questions;
  /** Where another answer has them; else they are those of the questions. */
  before?: Before | null;
}

export function Head({ questions, before }: HeadProps): JSX.Element {
  const found = counts(questions);
  const panel = brush.value ? questions.part : questions.histogram;
  return (
    <section class={`head ${freshness(panel)}`} aria-label="Figures">
      {found ? (
        <>
          {panel.progress.value && <span class="dim">so far</span>}
          <span data-total={found.total}>
            <b>{count(found.total)}</b> {runs(found.total).split(' ')[1]}
          </span>
          <span data-failed={found.failed} class={found.failed ? 'bad' : ''}>
            <b>{count(found.failed)}</b> failed
          </span>
          <span>
            <b>{successShare(found.success, found.failed)}</b> success
          </span>
          {brush.value ? <Mean {...found} /> : <Middle questions={questions} />}
        </>
      ) : (
        <span class="skeleton">…</span>
      )}
      <span class="grow" />
      {brush.value ? (
        <Selected />
      ) : (
        !panel.progress.value && <Compared questions={questions} before={before ?? beforeOf(questions)} />
      )}
    </section>
  );
}

function Mean({ seconds, timed }: { seconds: number; timed: number }): JSX.Element | null {
  return timed ? (
    <span>
      mean <b>{duration(seconds / timed)}</b>
    </span>
  ) : null;
}

/** Percentiles; those that are known by rows say that they are about right. */
function Middle({ questions }: { questions: Questions }): JSX.Element | null {
  const found = questions.middle.value;
  if (!found || found.p50 === null || found.p95 === null) return null;
  const about = found.exact ? '' : '≈ ';
  return (
    <span title={found.exact ? undefined : 'From rows of durations that are 17 % wide'}>
      p50 {about}
      <b>{duration(found.p50)}</b> · p95 {about}
      <b>{duration(found.p95)}</b>
    </span>
  );
}

/** What is selected in a picture, and how to take it away. */
export function Selected(): JSX.Element {
  const part = brush.value!;
  const durations = part.low === undefined ? '' : `, ${duration(part.low)} to ${duration(part.high!)}`;
  return (
    <span class="chip">
      <bdi>
        selected: {span(part.from, part.to, zone.value)}
        {durations}
      </bdi>
      <button type="button" onClick={() => select(null)} aria-label="Remove the selection">
        ✕
      </button>
    </span>
  );
}

/** The window before as it was asked for; null where that began before the first run. */
function beforeOf({ previous }: Questions): Before | null {
  const then = previous.answer.value?.body;
  const whole = then && oldest.value !== null && oldest.value <= millis(then.start);
  return whole && previous.current.value ? { total: then.total, failed: failedOf(then) } : null;
}

/** The window of equal length before, in one line. */
function Compared({ questions, before: then }: { questions: Questions; before: Before | null }): JSX.Element | null {
  const now = questions.histogram.answer.value?.body;
  if (!now || !then?.total) return null;
  const more = failedOf(now) - then.failed;
  const change = (now.total - then.total) / then.total;
  return (
    <span class="dim">
      against the {duration((screenWindow.value.end - screenWindow.value.start) / 1000)} before: runs{' '}
      {change > 0 ? '+' : change < 0 ? '−' : '±'}
      {percent(Math.abs(change))} · failures {difference(more)} {more > 0 ? '▲' : more < 0 ? '▼' : ''}
    </span>
  );
}

export function Queued({ questions }: { questions: Questions }): JSX.Element | null {
  const queued = questions.histogram.answer.value?.body.queued ?? 0;
  return queued ? (
    <p class="queued dim">
      <i aria-hidden="true">○</i> {otherRuns(queued)}
    </p>
  ) : null;
}
