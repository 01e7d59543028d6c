// The list that j, k and Enter are for: the one that was drawn last.

import { useEffect, useRef } from 'preact/hooks';
import { stickyEdge } from './edge';
import type { TableProps } from './table';

interface Listed<T> extends TableProps<T> {
  element: { current: HTMLTableElement | null };
  row: number;
  scrollTo(rank: number): void;
}

let current: { current: Listed<unknown> } | null = null;
/** The rank of the marked row, for the time that the list stays. */
let cursor: number | null = null;

/** Makes a table the current list. */
export function useList<T>(list: Listed<T>): void {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const mine = latest as unknown as { current: Listed<unknown> };
    current = mine;
    cursor = null;
    return () => {
      if (current === mine) current = null;
    };
  }, []);
}

/** Marks the next row (1) or the one before (-1), and brings it into sight. */
export function moveRow(by: 1 | -1): void {
  if (!current) return;
  const list = current.current;
  const start = cursorOf(list);
  const rank = Math.min(list.total - 1, Math.max(0, start === null ? firstSeen(list) : start + by));
  cursor = rank;
  const row = list.at(rank);
  if (row !== undefined) list.select(list.keyOf(row), rank);
  reveal(list, rank);
}

/** The marked row, or the first one that is seen, as far as it is here. */
export function currentRow<T>(): { row: T; rank: number; marked: boolean } | null {
  if (!current) return null;
  const list = current.current;
  const marked = cursorOf(list);
  const rank = marked ?? firstSeen(list);
  const row = list.at(rank) as T | undefined;
  return row === undefined ? null : { row, rank, marked: marked !== null };
}

/** Marks a row that may not be here yet, and brings it into sight. */
export function markRow(key: string, rank: number): void {
  if (!current) return;
  cursor = rank;
  current.current.select(key, rank);
  reveal(current.current, rank);
}

/** Shows the rows of a rank and after it. */
export const showFrom = (rank: number): void => current?.current.scrollTo(rank);

/** What is done with the marked row, where there is one. */
function withMarked(act: (list: Listed<unknown>, row: unknown) => void): void {
  const list = current?.current;
  const rank = list ? cursorOf(list) : null;
  const row = list && rank !== null ? list.at(rank) : undefined;
  if (list && row !== undefined) act(list, row);
}

/** Opens the marked row. */
export const openRow = (): void => withMarked((list, row) => list.open(row));

/** Opens the page of the marked row in another tab. */
export const openRowBeside = (): void =>
  withMarked((list, row) => {
    const link = list.link?.(row);
    if (link) open(link, '_blank', 'noopener');
  });

/** Tells of a row that was marked by a click. */
export function markRank(rank: number | null): void {
  cursor = rank;
}

function cursorOf(list: Listed<unknown>): number | null {
  if (list.selected.peek() === null) return null;
  const row = cursor === null ? null : list.at(cursor);
  if (row === undefined || (row !== null && list.keyOf(row) === list.selected.peek())) return cursor;
  // It was marked by a link, or rows that came have moved it.
  const drawn = list.element.current!.querySelector('tr[aria-current]');
  return drawn ? rankOf(drawn) : null;
}

const rankOf = (row: Element): number => Number(row.getAttribute('aria-rowindex')) - 2;

function firstSeen(list: Listed<unknown>): number {
  const table = list.element.current!;
  const edge = stickyEdge() + table.tHead!.getBoundingClientRect().height;
  const rows = [...table.querySelectorAll<HTMLTableRowElement>('tbody:not(.space) tr')];
  const found = rows.find((row) => row.getBoundingClientRect().top >= edge - 1);
  return found ? rankOf(found) : 0;
}

/** Scrolls only when the row is out of sight. */
function reveal(list: Listed<unknown>, rank: number): void {
  const table = list.element.current!;
  const found = table.querySelector(`tr[aria-rowindex="${rank + 2}"]`)?.getBoundingClientRect();
  const edge = stickyEdge() + table.tHead!.getBoundingClientRect().height;
  const bottom = innerHeight - (document.querySelector('.foot')?.getBoundingClientRect().height ?? 0);
  if (!found) list.scrollTo(rank);
  else if (found.top < edge) scrollBy({ top: found.top - edge, behavior: 'instant' });
  else if (found.bottom > bottom) scrollBy({ top: found.bottom - bottom, behavior: 'instant' });
}
