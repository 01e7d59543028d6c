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
import { failedOf, type Percentiles, percentiles, type Questions } from './questions';
import { brush, select } from './selection';

interface Counts {
  total: number;
  success: number;
  failed: number;
  middle: Percentiles | null;
}

/** The runs of the selection, or of the window without one. */
function counts({ part, histogram, middle }: Questions): Counts | null {
  const selected = part.shown.value;
  if (brush.value) {
    if (!selected) return null;
    const [success, failed] = [sum(selected.success.n), sum(selected.failed.n)];
    return { total: selected.timed + selected.open, success, failed, middle: percentiles(selected) };
  }
  const answer = histogram.shown.value;
  if (!answer) return null;
  const success = sum(answer.series.find(({ key }) => key === 'success')?.runs ?? []);
  return { total: answer.total, success, failed: failedOf(answer), middle: middle.value };
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
          {found.middle && <Middle found={found.middle} />}
        </>
      ) : (
        !panel.trouble.value && <span class="skeleton">…</span>
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

/** Percentiles; those that are not exact say so. */
function Middle({ found: { p50, p95, within } }: { found: Percentiles }): JSX.Element | null {
  if (p50 === null || p95 === null) return null;
  const about = within ? '≈ ' : '';
  return (
    <span title={within ? `Within ${within}` : undefined} data-p95={p95}>
      p50 {about}
      <b>{duration(p50)}</b> · p95 {about}
      <b>{duration(p95)}</b>
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
