// The rows of a result, sorted by any column. Only those that are seen are in the document.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Cell, isNumber, type Result } from './answer';

const ROW = 26; // CSS pixels
const MARGIN = 10; // rows above and below those seen
const LONGEST = 200; // characters of a cell

interface Order {
  column: number;
  falling: boolean;
}

export function Grid({ result }: { result: Result }): JSX.Element {
  const box = useRef<HTMLElement>(null);
  const seen = useSignal({ top: 0, height: 600 });
  const order = useSignal<Order | null>(null);
  useEffect(() => {
    order.value = null;
    box.current!.scrollTo(0, 0);
  }, [result]);
  const rows = useMemo(() => sorted(result, order.value), [result, order.value]);
  const numbers = result.columns.map(({ type }) => isNumber(type));
  const first = Math.max(0, Math.floor(seen.value.top / ROW) - MARGIN);
  const last = Math.min(rows.length, Math.ceil((seen.value.top + seen.value.height) / ROW) + MARGIN);
  const look = (): void => {
    seen.value = { top: box.current!.scrollTop, height: box.current!.clientHeight };
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section ref={box} class="sql-grid" tabIndex={0} aria-label="Result" onScroll={look}>
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {result.columns.map(({ name, type }, at) => (
              <th key={at} scope="col" aria-sort={sortOf(order.value, at)} title={type}>
                <button
                  type="button"
                  onClick={() => {
                    order.value = { column: at, falling: order.value?.column === at && !order.value.falling };
                  }}
                >
                  <bdi>{name}</bdi> {order.value?.column === at && (order.value.falling ? '↓' : '↑')}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={first} />
          {rows.slice(first, last).map((row, at) => (
            <tr key={first + at} aria-rowindex={first + at + 2}>
              {row.map((cell, column) => (
                <td key={column} class={numbers[column] ? 'number' : ''}>
                  {cell === null ? <span class="dim">NULL</span> : <bdi title={cell}>{cell.slice(0, LONGEST)}</bdi>}
                </td>
              ))}
            </tr>
          ))}
          <Gap rows={rows.length - last} />
        </tbody>
      </table>
    </section>
  );
}

/** Room for rows that are not drawn. */
const Gap = ({ rows }: { rows: number }): JSX.Element | null =>
  rows > 0 ? (
    <tr class="gap">
      <td style={{ height: `${rows * ROW}px`, padding: 0, border: 0 }} />
    </tr>
  ) : null;

function sortOf(order: Order | null, column: number): 'ascending' | 'descending' | 'none' {
  if (order?.column !== column) return 'none';
  return order.falling ? 'descending' : 'ascending';
}

/** The rows in an order; NULL comes last. */
function sorted(result: Result, order: Order | null): Result['rows'] {
  if (!order) return result.rows;
  const { column, falling } = order;
  const compare = isNumber(result.columns[column]!.type)
    ? (a: string, b: string): number => Number(a) - Number(b)
    : (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const way = falling ? -1 : 1;
  return [...result.rows].sort((one, other) => {
    const [a, b]: [Cell, Cell] = [one[column]!, other[column]!];
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    return way * compare(a, b);
  });
}
