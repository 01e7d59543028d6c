// The two pictures of the Runs page: runs over time, and all runs by time and duration.

import { type Signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Histogram } from '../../api';
import { type Buckets, paintBars } from '../../chart/bars';
import type { Grid } from '../../chart/brush';
import { burstsOf } from '../../chart/bursts';
import { type DurationAxis, durationAt, durationAxis, heightOf, paintDensity, STRIP } from '../../chart/density';
import { dotAt, paintDots } from '../../chart/dots';
import { Frame, type Mark } from '../../chart/frame';
import { countTicks, durationTicks } from '../../chart/ticks';
import { bucket, burstBegins, burstsNote, densitySentence, histogramSentence } from '../../messages';
import { freshness, Trouble, Waiting } from '../../parts/trouble';
import { useNarrow } from '../../state/narrow';
import { theme } from '../../state/theme';
import { address, go } from '../../state/url';
import { zone } from '../../state/zone';
import { duration } from '../../text/duration';
import { count, plural, sum } from '../../text/number';
import { millis, minute, span } from '../../text/time';
import { order, type Questions } from './questions';
import { brush, select, zoom } from './selection';

const BARS = 110; // CSS pixels
const DENSITY = 220;

interface ChartsProps {
  questions: Questions;
  /** Shows the runs of the list from a rank on; where there is a list below. */
  jump?(rank: number): void;
}

export function Charts({ questions, jump }: ChartsProps): JSX.Element {
  const hover = useSignal<number | null>(null);
  return (
    <div class="charts">
      <Bars questions={questions} hover={hover} jump={jump} />
      <Density questions={questions} hover={hover} />
    </div>
  );
}

interface ChartProps {
  questions: Questions;
  hover: Signal<number | null>;
  jump?: ChartsProps['jump'] | undefined;
}

const WIDTHS: Record<string, string> = { s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', month: 'month' };

/** The width of a bucket in words: "15 minutes". */
export function widthName(width: string): string {
  const [, n = '', unit = ''] = /^(\d+)(\w+)$/.exec(width) ?? [];
  return `${n} ${WIDTHS[unit] ?? unit}${n === '1' ? '' : 's'}`;
}

export const axisOf = (answer: Pick<Histogram, 'start' | 'end'>): Grid['axis'] => ({
  start: millis(answer.start),
  end: millis(answer.end),
});

/** Runs over time. */
export function Bars(props: ChartProps): JSX.Element {
  return (
    <>
      <Trouble panel={props.questions.histogram} name="Runs over time" />
      <BarsChart {...props} />
    </>
  );
}

/** All runs by time and duration. */
export function Density(props: ChartProps): JSX.Element {
  return (
    <>
      <Trouble panel={props.questions.durations} name="Durations" />
      <DensityChart {...props} />
    </>
  );
}

function BarsChart({ questions, hover, jump }: ChartProps): JSX.Element {
  const answer = questions.histogram.shown.value;
  const buckets = questions.buckets.value;
  if (!answer || !buckets) return <Waiting panel={questions.histogram} height={BARS + 36} />;
  const axis = axisOf(answer);
  const ghost = ghostOf(questions.previous.answer.value?.body, answer, buckets);
  const bursts = burstsOf(buckets);
  const greatest = Math.max(buckets.greatest, ...(ghost ?? []));
  const marks: Mark[] = (answer.total || ghost ? countTicks(greatest, 3) : []).map(({ at, text }) => ({
    share: at / greatest,
    text,
  }));
  const name = (at: number): string =>
    span(Math.max(axis.start, buckets.edges[at]!), Math.min(axis.end, buckets.edges[at + 1]!), zone.value);
  return (
    <div class={freshness(questions.histogram)}>
      <Frame
        title="Runs over time"
        note={`${widthName(answer.width)} each${ghost ? ', line: the period before' : ''}${bursts.length ? `, ${burstsNote}` : ''}`}
        height={BARS}
        grid={{ axis, columns: buckets.edges }}
        paint={(surface) => paintBars(surface, axis, buckets, { ghost, bursts })}
        marks={marks}
        sentence={sentenceOf(answer, buckets)}
        describe={(at) =>
          bucket(name(at), buckets.success[at]!, buckets.failed[at]!, buckets.open[at]!) +
          (bursts.includes(at) ? `, ▲ ${burstBegins}` : '')
        }
        table={() => ({
          heads: ['From', 'Success', 'Failed', 'Open'],
          rows: buckets.success.map((n, at) => [
            minute(buckets.edges[at]!, zone.value),
            ...[n, buckets.failed[at]!, buckets.open[at]!].map(count),
          ]),
        })}
        hover={hover}
        brush={brush}
        handlers={{
          select,
          zoom,
          ...(jump && order.value === 'started' && { jump: (at) => jump(newer(buckets, at)) }),
        }}
      />
    </div>
  );
}

/** How many runs stand above those of a bucket in a list with the newest ones first. */
const newer = ({ success, failed, open }: Buckets, at: number): number =>
  [success, failed, open].reduce((total, counts) => total + sum(counts.slice(at + 1)), 0);

/** The sums of the period before, bucket by bucket; null without runs, or while its answer does not belong to that of the window. */
function ghostOf(before: Histogram | undefined, answer: Histogram, { edges }: Buckets): number[] | null {
  const apart = before && Math.abs(millis(before.end) - millis(answer.start));
  if (!before || before.width !== answer.width || apart! >= edges[1]! - edges[0]!) return null;
  const sums = before.timed.map((_, at) => before.series.reduce((total, series) => total + series.runs[at]!, 0));
  return sums.some(Boolean) ? sums.slice(0, edges.length - 1) : null;
}

function sentenceOf(answer: Histogram, buckets: Buckets): string {
  const most = Math.max(...buckets.failed);
  const worst = `${minute(buckets.edges[buckets.failed.indexOf(most)]!, zone.value)}: ${count(most)}`;
  return histogramSentence(buckets.success.length, widthName(answer.width), answer.total, sum(buckets.failed), worst);
}

function DensityChart({ questions, hover }: ChartProps): JSX.Element {
  const answer = questions.durations.shown.value;
  const density = questions.density.value;
  const height = useNarrow() ? 160 : DENSITY;
  if (!answer || !density) return <Waiting panel={questions.durations} height={height + 36} />;
  const { points } = answer;
  const axis = axisOf(answer);
  const timed = points?.seconds.filter((seconds) => seconds > 0) ?? [];
  const rows = points
    ? durationAxis(Math.min(...timed, 1), Math.max(...timed, 1))
    : durationAxis(density.least, density.most);
  const strip = STRIP / height;
  const columns = Array.from({ length: density.columns + 1 }, (_, at) => density.begin + at * density.width);
  const borders = points ? rowsBetween(rows) : density.edges;
  const marks = [
    { share: strip / 2, text: '0 s' },
    ...durationTicks(rows.low, rows.high).map(({ at, text }) => ({ share: heightOf(at, rows, 1, strip), text })),
  ].filter(({ share }) => share < 0.97 && (share === strip / 2 || share > 2.5 * strip));
  const { p50, p95 } = questions.middle.value ?? { p50: null, p95: null };
  return (
    <div class={freshness(questions.durations)}>
      <Frame
        title="Durations"
        note={
          points
            ? `${plural(answer.timed, 'run', 'runs')}${answer.timed ? ', a dot each' : ''}`
            : `all ${count(answer.timed)} finished runs; denser: more, ${theme.value.startsWith('forced') ? 'highlighted' : 'red'}: failed`
        }
        height={height}
        grid={{ axis, columns, rows: borders, durationAt: (share) => durationAt(share, rows, 1, strip) }}
        paint={(surface) =>
          points ? paintDots(surface, axis, rows, points) : paintDensity(surface, axis, rows, density)
        }
        marks={marks}
        sentence={densitySentence(answer.timed, p50, p95)}
        describe={(at, row) => cellText(questions, borders, columns, at, row)}
        table={() => ({
          heads: ['From', 'Median', '95th percentile'],
          rows: answer.p50_seconds.map((seconds, at) => [
            minute(columns[at]!, zone.value),
            ...[seconds, answer.p95_seconds[at] ?? null].map((found) => (found === null ? '–' : duration(found))),
          ]),
        })}
        hover={hover}
        brush={brush}
        riseOf={(seconds) => (seconds === 0 ? 0 : heightOf(seconds, rows, 1, strip))}
        handlers={{
          select,
          zoom,
          click: (x, y, box) => {
            const at = points && dotAt(points, x * box.width, (1 - y) * box.height, axis, rows, box.width, box.height);
            if (at === null) return false;
            go(address(`/ui/runs/${points!.id[at]}`));
            return true;
          },
        }}
      />
    </div>
  );
}

/** Borders for selecting among dots: 0, and steps of 17 %. */
function rowsBetween({ low, high }: DurationAxis): number[] {
  const count = Math.ceil(Math.log(high / low) / Math.log(1.17));
  return [0, ...Array.from({ length: count + 1 }, (_, at) => low * 1.17 ** at)];
}

function cellText(
  questions: Questions,
  borders: readonly number[],
  columns: readonly number[],
  at: number,
  row: number | null,
): string {
  const answer = questions.durations.shown.value!;
  const when = span(columns[at]!, columns[at + 1]!, zone.value);
  const [p50, p95] = [answer.p50_seconds[at] ?? null, answer.p95_seconds[at] ?? null];
  const middle = p50 === null || p95 === null ? 'no finished runs' : `p50 ${duration(p50)}, p95 ${duration(p95)}`;
  if (row === null || row > borders.length - 2) return `${when}: ${middle}`;
  const density = questions.density.value!;
  const cell = at * (density.edges.length - 1) + row;
  const found = answer.points
    ? ''
    : `: ${count(density.success[cell]! + density.failed[cell]!)} runs, ${count(density.failed[cell]!)} failed`;
  return `${when}, ${duration(borders[row]!)} to ${duration(borders[row + 1]!)}${found}`;
}
