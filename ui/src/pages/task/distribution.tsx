// How long the runs take: the window against the one before.

import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { AsTable } from '../../chart/frame';
import { durationTicks } from '../../chart/ticks';
import { freshness, Waiting } from '../../parts/trouble';
import { useNarrow } from '../../state/narrow';
import { duration } from '../../text/duration';
import { percent } from '../../text/number';
import type { Questions } from './questions';
import { type Bar, distribution } from './series';

const EVEN = 0.05; // around one half, where nothing has changed

export function Distribution({ questions }: { questions: Questions }): JSX.Element {
  const [answer, then] = [questions.trend.value, questions.trendBefore.answer.value?.body];
  const bars = useMemo(() => (answer ? distribution(answer, then ?? null) : []), [answer, then]);
  const slower = questions.fleet.rows.value?.[0]?.slower ?? null;
  const greatest = Math.max(...bars.map(({ success, failed, before }) => Math.max(success + failed, before)), 1e-9);
  return (
    <figure class={`distribution ${freshness(questions.runs.durations)}`}>
      <figcaption>
        <b>Durations of all runs</b> <span class="dim">bars: now{then ? ', lines: the window before' : ''}</span>
      </figcaption>
      {!answer && <Waiting panel={questions.runs.durations} height={240} />}
      {answer && bars.length > 0 && (
        <>
          <div class="bars" role="img" aria-label={sentence(slower, answer!.timed)}>
            {bars.map((bar) => (
              <BarOf key={bar.low} bar={bar} greatest={greatest} />
            ))}
          </div>
          <Labels bars={bars} />
          <p>{sentence(slower, answer!.timed)}</p>
          <AsTable
            title="Durations of all runs"
            table={() => ({
              heads: ['From', 'To', 'Success', 'Failed', 'Before'],
              rows: bars.map(({ low, high, success, failed, before }) => [
                ...[low, high].map(duration),
                ...[success, failed, before].map(percent),
              ]),
            })}
          />
        </>
      )}
      {answer && !bars.length && <p class="dim">No finished runs.</p>}
    </figure>
  );
}

function sentence(slower: number | null, timed: number): string {
  if (!timed) return 'No finished runs in this window.';
  if (slower === null) return 'The window before has no runs to compare with.';
  const word = slower > 0.5 + EVEN ? 'slower than before' : slower < 0.5 - EVEN ? 'faster than before' : 'as before';
  return `A run now takes longer than one before with a probability of ${percent(slower)}: ${word}.`;
}

function BarOf({ bar, greatest }: { bar: Bar; greatest: number }): JSX.Element {
  const { low, high, success, failed, before } = bar;
  const tall = (share: number): string => `${(share / greatest) * 100}%`;
  return (
    <span title={`${duration(low)} to ${duration(high)}: ${percent(success + failed)}, before ${percent(before)}`}>
      <i class="good" style={{ height: tall(success + failed) }} />
      <i class="bad" style={{ height: tall(failed) }} />
      {before > 0 && <i class="was" style={{ height: tall(before) }} />}
    </span>
  );
}

/** Round durations below the bars, which are equal steps of the logarithm. */
function Labels({ bars }: { bars: readonly Bar[] }): JSX.Element {
  const narrow = useNarrow();
  const ticks = durationTicks(bars[0]!.high, bars.at(-1)!.high);
  const place = (at: number): number => bars.findIndex(({ high }) => high >= at);
  return (
    <div class="times" aria-hidden="true">
      {bars[0]!.low === 0 && <span class="first">0 s</span>}
      {ticks
        .filter((_, at) => !narrow || at % 2 === 0)
        .map(({ at, text }) => ({ text, share: (place(at) + 0.5) / bars.length }))
        .filter(({ share }) => share > 0.06 && share < 0.96)
        .map(({ text, share }) => (
          <span key={text} style={{ left: `${share * 100}%` }}>
            {text}
          </span>
        ))}
    </div>
  );
}
