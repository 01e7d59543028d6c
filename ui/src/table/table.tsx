// A table of any length. Only the rows that are seen are in the document; assistive technology knows of all of them.

import { type ReadonlySignal, type Signal, useSignal } from '@preact/signals';
import type { ComponentChild, JSX } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { useNarrow } from '../state/narrow';
import { stickyEdge } from './edge';
import { useList } from './list';
import { Scroll, type Sizes, type View } from './scroll';

export interface Column<T> {
  key: string;
  head: string;
  /** What its cells mean, for who asks. */
  title?: string;
  /** A CSS width; one column without a width takes what is left. */
  width?: string;
  /** Whether its cells end at the right, as numbers do. */
  end?: boolean;
  cell(row: T, rank: number): ComponentChild;
  /** Whether a click on its head sorts by it. */
  sortable?: boolean;
  /** Shows only rows with the value of this one; an Alt-click on a cell does it. */
  only?(row: T): void;
}

export interface Sorting {
  key: string;
  ascending: boolean;
}

export interface TableProps<T> {
  /** What the table is of. */
  label: string;
  columns: readonly Column<T>[];
  total: number;
  /** The row of a rank; undefined while it is on its way. */
  at(rank: number): T | undefined;
  keyOf(row: T): string;
  /** Says which ranks are seen. */
  show?(first: number, last: number): void;
  /** A class for a row, as "failed". */
  tone?(row: T): string | undefined;
  /** Whether a row is one of several that were picked out. */
  picked?(key: string): boolean;
  /** The key of the row that is marked, and what marks one. */
  selected: ReadonlySignal<string | null>;
  select(key: string | null, rank: number): void;
  open(row: T): void;
  /** The address of what `open` opens; null where it opens no page. */
  link?(row: T): string | null;
  sorting?: Sorting;
  sort?(key: string): void;
  /** Lines of a row on a narrow screen, where its columns are not the usual ones. */
  lines?: number | undefined;
  /** Ranks of rows whose names a reader should not wait for are drawn dimmed. */
  stale?: boolean;
}

export const ROW = 30; // CSS pixels; style/table.css has the same
const CARD = (lines: number): number => 22 * lines + 8; // of a row on a narrow screen

export function Table<T>(props: TableProps<T>): JSX.Element {
  const { columns, total, label, sorting, sort } = props;
  const element = useRef<HTMLTableElement>(null);
  const row = useNarrow() ? CARD(props.lines ?? 3) : ROW;
  const view = useView(element, total, row, props.show);
  useList({ ...props, element, row, scrollTo: view.scrollTo });
  const { first, last, top, height } = view.seen.value;
  const ranks = Array.from({ length: Math.max(0, Math.min(last, total) - first) }, (_, at) => first + at);
  const below = Math.max(0, height - top - ranks.length * row);
  return (
    <table
      ref={element}
      class={`list ${props.stale ? 'stale' : ''} ${props.lines ? 'chosen' : ''}`}
      style={props.lines ? { '--lines': props.lines } : {}}
      aria-label={label}
      aria-rowcount={total + 1}
      role="table"
    >
      <colgroup>
        {columns.map(({ key, width }) => (
          <col key={key} style={width ? { width } : {}} />
        ))}
      </colgroup>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <Head key={column.key} column={column} sorting={sorting} sort={sort} />
          ))}
        </tr>
      </thead>
      <Space height={top} columns={columns.length} />
      <tbody role="rowgroup">
        {ranks.map((rank) => (
          <Row key={rank} rank={rank} {...props} />
        ))}
      </tbody>
      <Space height={below} columns={columns.length} />
    </table>
  );
}

function Head<T>(props: { column: Column<T>; sorting: Sorting | undefined; sort: TableProps<T>['sort'] }): JSX.Element {
  const { column, sorting, sort } = props;
  const sorted = sorting?.key === column.key ? (sorting.ascending ? 'ascending' : 'descending') : undefined;
  return (
    <th
      scope="col"
      role="columnheader"
      class={`${column.key} ${column.end ? 'end' : ''}`}
      aria-sort={sorted}
      title={column.title}
    >
      {column.sortable && sort ? (
        <button type="button" class="bare" onClick={() => sort(column.key)}>
          {column.head} <i aria-hidden="true">{sorted ? (sorting?.ascending ? '▴' : '▾') : ''}</i>
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}

function Row<T>(props: TableProps<T> & { rank: number }): JSX.Element {
  const { rank, columns, at, keyOf, tone, selected, select, open } = props;
  const row = at(rank);
  const key = row === undefined ? null : keyOf(row);
  const marked = key !== null && selected.value === key;
  const picked = key !== null && props.picked?.(key);
  return (
    <tr
      role="row"
      aria-rowindex={rank + 2}
      aria-current={marked ? 'true' : undefined}
      class={row === undefined ? 'coming' : `${tone?.(row) ?? ''} ${picked ? 'picked' : ''}`}
      onClick={(event) => {
        const target = event.target as Element;
        if (row === undefined) return;
        if (event.altKey) {
          event.preventDefault(); // the browser would save what a link leads to
          columns[target.closest('td')?.cellIndex ?? -1]?.only?.(row);
        } else if (!target.closest('a, button')) select(marked ? null : key, rank);
      }}
      onDblClick={() => row !== undefined && open(row)}
    >
      {columns.map(({ key: name, end, cell }, place) => (
        <td key={name} role="cell" class={`${name} ${end ? 'end' : ''}`}>
          {picked && place === 0 && <span class="vh">marked </span>}
          {row !== undefined && cell(row, rank)}
        </td>
      ))}
    </tr>
  );
}

/** Stands for the rows that are not drawn. */
function Space({ height, columns }: { height: number; columns: number }): JSX.Element | null {
  return height > 0 ? (
    <tbody aria-hidden="true" class="space">
      <tr>
        <td colSpan={columns} style={{ height: `${height}px` }} />
      </tr>
    </tbody>
  ) : null;
}

interface Seen {
  seen: Signal<View>;
  scrollTo(rank: number): void;
}

/** Follows the scrolling of the window. */
function useView(
  element: { current: HTMLTableElement | null },
  total: number,
  row: number,
  show: TableProps<unknown>['show'],
): Seen {
  const scroll = useMemo(() => new Scroll(), []);
  const seen = useSignal<View>({ first: 0, last: Math.min(total, 40), top: 0, height: total * row });
  const latest = useRef({ total, row, show });
  latest.current = { total, row, show };
  const look = useMemo(() => {
    const measure = (): { scrolled: number; sizes: Sizes } => {
      const { total, row } = latest.current;
      const head = element.current!.tHead!.getBoundingClientRect();
      const top = element.current!.getBoundingClientRect().top + head.height;
      const edge = stickyEdge() + head.height;
      const screen = Math.max(row, innerHeight - edge);
      return { scrolled: edge - top, sizes: { total, row, screen } };
    };
    const update = (): void => {
      if (!element.current) return;
      const { scrolled, sizes } = measure();
      seen.value = scroll.at(scrolled, sizes);
      latest.current.show?.(seen.value.first, Math.max(seen.value.first, seen.value.last - 1));
    };
    const scrollTo = (rank: number): void => {
      const { scrolled, sizes } = measure();
      const place = scroll.to(rank, sizes);
      window.scrollBy({ top: place - scrolled, behavior: 'instant' });
      update();
    };
    return { update, scrollTo };
  }, []);
  useEffect(() => {
    addEventListener('scroll', look.update, { passive: true });
    addEventListener('resize', look.update);
    return () => {
      removeEventListener('scroll', look.update);
      removeEventListener('resize', look.update);
    };
  }, []);
  useLayoutEffect(look.update, [total, row]);
  return { seen, scrollTo: look.scrollTo };
}
