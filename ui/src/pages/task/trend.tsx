// Percentiles and success of a task over time, with the window before as thin lines.

import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Durations } from '../../api';
import { colors } from '../../chart/colors';
import { durationAxis, heightOf, STRIP } from '../../chart/density';
import { paintLine } from '../../chart/dots';
import { Frame, type Mark, type Surface, type TimeAxis } from '../../chart/frame';
import { durationTicks } from '../../chart/ticks';
import { freshness, Trouble, Waiting } from '../../parts/trouble';
import { zone } from '../../state/zone';
import { duration } from '../../text/duration';
import { count, percent } from '../../text/number';
import { millis, minute, span } from '../../text/time';
import { brush, select, zoom } from '../runs/selection';
import type { Questions } from './questions';
import { type Series, seriesOf } from './series';

const LINES = 150; // CSS pixels
const SHARES = 70;

type Values = readonly (number | null)[];

export function Trend({ questions }: { questions: Questions }): JSX.Element {
  const hover = useSignal<number | null>(null);
  const [answer, then] = [questions.trend.value, questions.trendBefore.answer.value?.body];
  const series = useMemo(() => answer && seriesOf(answer), [answer]);
  const before = useMemo(() => (then && answer ? shifted(seriesOf(then), answer, then) : null), [answer, then]);
  return (
    <div class={`charts ${freshness(questions.runs.durations)}`}>
      <Trouble panel={questions.trendBefore} name="The window before" />
      {answer && series ? (
        <>
          <Percentiles answer={answer} series={series} before={before} hover={hover} />
          <Success answer={answer} series={series} before={before} hover={hover} />
        </>
      ) : (
        <Waiting panel={questions.runs.durations} height={LINES + SHARES + 80} />
      )}
    </div>
  );
}

/** The window before, moved to where the window is; null where its columns are of another width. */
function shifted(before: Series, answer: Durations, then: Durations): Series | null {
  if (then.column_seconds !== answer.column_seconds || !then.timed) return null;
  const by = millis(answer.end) - millis(then.end);
  return { ...before, borders: before.borders.map((border) => border + by) };
}

interface ChartProps {
  answer: Durations;
  series: Series;
  before: Series | null;
  hover: Signal<number | null>;
}

const axisOf = (answer: Durations): TimeAxis => ({ start: millis(answer.start), end: millis(answer.end) });

/** What a column is: "each point: 1 d". */
const each = (answer: Durations): string => `each point: ${duration(answer.column_seconds)}`;

function Percentiles({ answer, series, before, hover }: ChartProps): JSX.Element {
  const all = [...series.p50, ...series.most, ...(before?.p95 ?? [])].filter((value) => value !== null && value > 0);
  const known = all as number[];
  const rows = known.length ? durationAxis(Math.min(...known), Math.max(...known)) : durationAxis(1, 10);
  const axis = axisOf(answer);
  const strip = STRIP / LINES;
  const marks: Mark[] = durationTicks(rows.low, rows.high).map(({ at, text }) => ({
    share: heightOf(at, rows, 1, strip),
    text,
  }));
  const when = (at: number): string => span(series.borders[at]!, series.borders[at + 1]!, zone.value);
  const paint = (surface: Surface): void => {
    const color = colors();
    const rise = (seconds: number): number => heightOf(seconds, rows, surface.height, STRIP * surface.ratio);
    if (before) {
      paintGhost(surface, axis, before.borders, before.p95, rise);
      paintGhost(surface, axis, before.borders, before.p50, rise);
    }
    paintDots(surface, axis, series.borders, series.most, rise, color.dim);
    paintSeries(surface, axis, series.borders, series.p95, rise, color.accent);
    paintSeries(surface, axis, series.borders, series.p50, rise, color.success);
  };
  return (
    <Frame
      title="Percentiles"
      note={
        <>
          <b class="line p95">p95</b> <b class="line p50">p50</b> dots: longest, within 17 %; {each(answer)}
          {before ? '; thin: the window before' : ''}
        </>
      }
      height={LINES}
      grid={{ axis, columns: series.borders }}
      paint={paint}
      marks={marks.filter(({ share }) => share > 0.04 && share < 0.97)}
      sentence={`median and 95th percentile of ${count(answer.timed)} runs.`}
      describe={(at) => `${when(at)}: ${figures(series, at)}${before ? `; before: p95 ${time(before.p95[at])}` : ''}`}
      table={() => ({
        heads: ['From', 'Runs', 'Median', '95th percentile', 'Longest, at most', 'Before: median', 'Before: 95th'],
        rows: series.runs.map((runs, at) => [
          minute(series.borders[at]!, zone.value),
          count(runs),
          ...[series.p50[at], series.p95[at], series.most[at], before?.p50[at], before?.p95[at]].map(time),
        ]),
      })}
      hover={hover}
      brush={brush}
      handlers={{ select, zoom }}
    />
  );
}

const time = (seconds: number | null | undefined): string => (seconds == null ? '–' : duration(seconds));

const figures = (series: Series, at: number): string =>
  series.runs[at] ? `p50 ${time(series.p50[at])}, p95 ${time(series.p95[at])}` : 'no finished runs';

function Success({ answer, series, before, hover }: ChartProps): JSX.Element {
  const axis = axisOf(answer);
  const least = Math.min(...[...series.success, ...(before?.success ?? [])].filter((share) => share !== null), 1);
  const low = Math.max(0, Math.min(0.9, Math.floor(least * 10) / 10));
  const share = (value: number): number => (value - low) / (1.02 - low);
  const paint = (surface: Surface): void => {
    const rise = (value: number): number => share(value) * (surface.height - 4 * surface.ratio) + 2 * surface.ratio;
    if (before) paintGhost(surface, axis, before.borders, before.success, rise);
    paintSeries(surface, axis, series.borders, series.success, rise, colors().success);
  };
  const when = (at: number): string => span(series.borders[at]!, series.borders[at + 1]!, zone.value);
  const text = (value: number | null | undefined): string => (value == null ? '–' : percent(value));
  return (
    <Frame
      title="Success"
      note={`share of the finished runs${before ? '; thin: the window before' : ''}`}
      height={SHARES}
      grid={{ axis, columns: series.borders }}
      paint={paint}
      marks={[1, (1 + low) / 2, low].map((value) => ({
        share: share(value) * 0.94 + 0.03,
        text: `${Math.round(value * 100)} %`,
      }))}
      sentence={`succeeded share of ${count(answer.timed)} runs.`}
      describe={(at) => `${when(at)}: ${text(series.success[at])} of ${count(series.runs[at] ?? 0)} runs`}
      table={() => ({
        heads: ['From', 'Runs', 'Success', 'Before'],
        rows: series.runs.map((runs, at) => [
          minute(series.borders[at]!, zone.value),
          count(runs),
          text(series.success[at]),
          text(before?.success[at]),
        ]),
      })}
      hover={hover}
      brush={brush}
      handlers={{ select, zoom }}
    />
  );
}

type Rise = (value: number) => number;

/** A line, and a dot where a value stands alone between gaps. */
function paintSeries(surface: Surface, axis: TimeAxis, borders: number[], values: Values, rise: Rise, color: string) {
  paintLine(surface, axis, borders, values, rise, color);
  const alone = values.map((value, at) => ((values[at - 1] ?? values[at + 1] ?? null) === null ? value : null));
  paintDots(surface, axis, borders, alone, rise, color);
}

function paintDots(surface: Surface, axis: TimeAxis, borders: number[], values: Values, rise: Rise, color: string) {
  const { context, width, height, ratio } = surface;
  context.fillStyle = color;
  for (const [at, value] of values.entries()) {
    if (value === null) continue;
    const x = (((borders[at]! + borders[at + 1]!) / 2 - axis.start) / (axis.end - axis.start)) * width;
    context.fillRect(x - 1.5 * ratio, height - rise(value) - 1.5 * ratio, 3 * ratio, 3 * ratio);
  }
}

function paintGhost(surface: Surface, axis: TimeAxis, borders: number[], values: Values, rise: Rise) {
  const { context, ratio } = surface;
  context.globalAlpha = 0.7;
  context.setLineDash([3 * ratio, 3 * ratio]);
  paintLine(surface, axis, borders, values, rise, colors().dim);
  context.setLineDash([]);
  context.globalAlpha = 1;
}
