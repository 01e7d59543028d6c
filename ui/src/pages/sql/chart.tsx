// A result as a picture: over time where its first column is a time, else bars of its first text.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { colors } from '../../chart/colors';
import { paintLine } from '../../chart/dots';
import { Frame, type Mark, type Surface } from '../../chart/frame';
import { zone } from '../../state/zone';
import { compact, count } from '../../text/number';
import { minute } from '../../text/time';
import { isNumber, isTime, type Result } from './answer';

const HEIGHT = 260; // CSS pixels
const BARS = 60;
const SERIES = ['series-2', 'series-1', 'series-3', 'series-4', 'series-5', 'series-6'] as const;

/** Whether there is a picture of a result. */
export const canBeDrawn = ({ columns, rows }: Result): boolean =>
  rows.length > 0 && columns.slice(1).some(({ type }) => isNumber(type));

export const Chart = ({ result }: { result: Result }): JSX.Element =>
  isTime(result.columns[0]!.type) ? <Lines result={result} /> : <Bars result={result} />;

/** The columns with numbers, but for the first column. */
const numbersOf = ({ columns }: Result): number[] =>
  columns.flatMap(({ type }, at) => (at > 0 && isNumber(type) ? [at] : [])).slice(0, SERIES.length);

const millis = (text: string): number => Date.parse(/T/.test(text) && !text.endsWith('Z') ? `${text}Z` : text);

function Lines({ result }: { result: Result }): JSX.Element {
  const hover = useSignal<number | null>(null);
  const brush = useSignal(null);
  const shown = numbersOf(result);
  const { times, values, borders, greatest, least } = useMemo(() => seriesOf(result, shown), [result]);
  const rise = (surface: Surface) => (value: number) =>
    ((value - least) / (greatest - least)) * (surface.height - 6) + 3;
  const axis = { start: borders[0]!, end: borders.at(-1)! };
  const marks: Mark[] = [0.25, 0.5, 0.75, 1].map((share) => ({
    share: share * 0.97,
    text: compact(least + share * (greatest - least)),
  }));
  const textOf = (at: number): string =>
    shown.map((column, n) => `${result.columns[column]!.name} ${values[n]![at] ?? '–'}`).join(', ');
  return (
    <Frame
      title="Result over time"
      note={
        <span>
          {shown.map((column, n) => (
            <b key={column} style={{ color: `var(--${SERIES[n]})` }}>
              <bdi>{result.columns[column]!.name}</bdi>{' '}
            </b>
          ))}
        </span>
      }
      height={HEIGHT}
      grid={{ axis, columns: borders }}
      paint={(surface) => {
        const all = colors();
        for (const [n, line] of values.entries()) {
          paintLine(surface, axis, borders, line, rise(surface), all[SERIES[n]!]);
        }
      }}
      marks={marks}
      sentence={`${count(times.length)} points of ${shown.map((column) => result.columns[column]!.name).join(', ')}.`}
      describe={(at) => `${minute(times[at]!, zone.value)}: ${textOf(at)}`}
      table={() => ({
        heads: ['Time', ...shown.map((column) => result.columns[column]!.name)],
        rows: times.map((time, at) => [minute(time, zone.value), ...values.map((line) => String(line[at] ?? '–'))]),
      })}
      hover={hover}
      brush={brush}
      handlers={{ select: () => {}, zoom: () => {} }}
    />
  );
}

/** Points in the order of time, each in the middle between its neighbours. */
function seriesOf(result: Result, shown: readonly number[]) {
  const rows = result.rows
    .filter((row) => row[0] !== null)
    .map((row) => ({ at: millis(row[0]!), row }))
    .sort((one, other) => one.at - other.at);
  const times = rows.map(({ at }) => at);
  const values = shown.map((column) => rows.map(({ row }) => (row[column] == null ? null : Number(row[column]))));
  const known = values.flat().filter((value) => value !== null);
  const least = Math.min(0, ...known);
  const half = times.length > 1 ? (times.at(-1)! - times[0]!) / (times.length - 1) / 2 || 1 : 1_800_000;
  const borders = [times[0]! - half, ...times.slice(1).map((at, n) => (at + times[n]!) / 2), times.at(-1)! + half];
  return { times, values, borders, least, greatest: Math.max(least + 1e-9, ...known) };
}

function Bars({ result }: { result: Result }): JSX.Element {
  const [column] = numbersOf(result);
  const rows = result.rows.slice(0, BARS);
  const value = (row: readonly (string | null)[]): number => Number(row[column!] ?? 0);
  const greatest = Math.max(1e-9, ...rows.map((row) => Math.abs(value(row))));
  return (
    <figure class="sql-bars">
      <figcaption>
        <b>
          <bdi>{result.columns[column!]!.name}</bdi>
        </b>{' '}
        {result.rows.length > BARS && (
          <span class="dim">{`the first ${BARS} of ${count(result.rows.length)} rows`}</span>
        )}
      </figcaption>
      <ol>
        {rows.map((row, at) => (
          <li key={at}>
            <bdi>{row[0] ?? 'NULL'}</bdi>
            <i style={{ width: `${(Math.abs(value(row)) / greatest) * 100}%` }} />
            <span class="number">{row[column!] ?? 'NULL'}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}
