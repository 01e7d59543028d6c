// Selecting a part of a chart: by dragging, and by the arrow keys.

import { type Signal, signal } from '@preact/signals';
import type { TimeAxis } from './frame';

/** A part of a chart: times in milliseconds and, where durations were selected as well, seconds; ends not included. */
export interface Brush {
  from: number;
  to: number;
  low?: number;
  high?: number;
}

/** What a chart is divided into. Cursor and brush move from border to border. */
export interface Grid {
  axis: TimeAxis;
  /** Borders of the columns in milliseconds, ascending. */
  columns: readonly number[];
  /** Borders of the rows in seconds, ascending; without them only times are selected. */
  rows?: readonly number[];
  /** The duration at a share of the height, from the bottom. */
  durationAt?(share: number): number;
}

interface Cell {
  x: number;
  y: number | null;
}

/** The place of the last border that is not above a value, so that it is one of a cell. */
export function cellOf(borders: readonly number[], value: number): number {
  let [low, high] = [0, borders.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (borders[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** The brush over all cells from one to another, cut to the axis. */
export function brushOf(grid: Grid, one: Cell, other: Cell): Brush {
  const [left, right] = [Math.min(one.x, other.x), Math.max(one.x, other.x)];
  const times = {
    from: Math.max(grid.axis.start, grid.columns[left]!),
    to: Math.min(grid.axis.end, grid.columns[right + 1]!),
  };
  if (!grid.rows || one.y === null || other.y === null) return times;
  const [bottom, top] = [Math.min(one.y, other.y), Math.max(one.y, other.y)];
  return { ...times, low: grid.rows[bottom]!, high: grid.rows[top + 1]! };
}

const SLIP = 4; // CSS pixels that a click may move
const DOUBLE = 1000; // milliseconds from the first click to a double one, at most
const FLAT = 8; // a drag of less height selects times only

export interface Handlers {
  /** The selection is made; null when it is taken away. */
  select(brush: Brush | null): void;
  zoom(brush: Brush | null): void;
  /** A column was chosen, by a click or by Enter, while nothing is selected. */
  jump?(column: number): void;
  /** A click without a drag, at shares of width and height from the left and the bottom. */
  click?(x: number, y: number, box: DOMRect): boolean;
}

/** The state of selecting in one chart, and its event handlers. */
export class Selecting {
  /** The brush while it is made. */
  readonly draft: Signal<Brush | null> = signal(null);
  /** The cell that the keyboard is at. */
  readonly cursor: Signal<Cell | null> = signal(null);
  #anchor: Cell | null = null;
  #pressed: { x: number; y: number } | null = null;
  /** What the last click took away, and when: a double click, which begins with a click, zooms to it. */
  #taken: { brush: Brush; at: number } | null = null;

  constructor(
    readonly grid: () => Grid,
    readonly hover: Signal<number | null>,
    readonly handlers: Required<Handlers>,
  ) {}

  press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#pressed = { x: event.clientX, y: event.clientY };
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
  }

  move(event: PointerEvent): void {
    const { share, grid } = this.#at(event);
    this.hover.value = grid.axis.start + Math.min(1, Math.max(0, share)) * (grid.axis.end - grid.axis.start);
    if (this.#pressed && this.#isDrag(event)) this.draft.value = this.#dragged(event);
  }

  release(event: PointerEvent, selected: Brush | null): void {
    const pressed = this.#pressed;
    this.#pressed = null;
    if (!pressed) return;
    const brush = this.draft.peek();
    this.draft.value = null;
    if (brush) this.handlers.select(brush);
    else this.#click(event, selected);
  }

  double(event: MouseEvent): void {
    if (this.#taken && event.timeStamp - this.#taken.at < DOUBLE) this.handlers.zoom(this.#taken.brush);
  }

  leave(): void {
    this.hover.value = null;
  }

  /** Arrows move the cursor, with Shift they select; Enter zooms, Escape takes the selection away. */
  key(event: KeyboardEvent, selected: Brush | null): void {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) this.#step(step[0]!, step[1]!, event.shiftKey);
    else if (event.key === 'Enter' && selected) this.handlers.zoom(selected);
    else if (event.key === 'Enter' && this.cursor.peek()) this.handlers.jump(this.cursor.peek()!.x);
    else if (event.key === 'Escape' && selected) this.handlers.select(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #step(dx: number, dy: number, selects: boolean): void {
    const grid = this.grid();
    const last = grid.columns.length - 2;
    const before = this.cursor.peek();
    const rows = grid.rows ? grid.rows.length - 2 : -1;
    if (dy && rows < 0) return;
    const start = before ?? { x: dx < 0 ? last + 1 : -1, y: null };
    const cursor = {
      x: Math.min(last, Math.max(0, start.x + dx)),
      y: dy ? Math.min(rows, Math.max(0, (start.y ?? (dy > 0 ? -1 : rows + 1)) + dy)) : start.y,
    };
    this.cursor.value = cursor;
    this.hover.value = (grid.columns[cursor.x]! + grid.columns[cursor.x + 1]!) / 2;
    if (!selects) {
      this.#anchor = cursor;
      return;
    }
    this.#anchor ??= before ?? cursor;
    this.handlers.select(brushOf(grid, { x: this.#anchor.x, y: this.#anchor.y ?? cursor.y }, cursor));
  }

  #at(event: PointerEvent): { share: number; rise: number; grid: Grid; box: DOMRect } {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return { share, rise: 1 - (event.clientY - box.top) / box.height, grid: this.grid(), box };
  }

  #isDrag(event: PointerEvent): boolean {
    const { x, y } = this.#pressed!;
    return this.draft.peek() !== null || Math.hypot(event.clientX - x, event.clientY - y) > SLIP;
  }

  #dragged(event: PointerEvent): Brush {
    const { grid, box } = this.#at(event);
    const { x, y } = this.#pressed!;
    const flat = !grid.rows?.length || Math.abs(event.clientY - y) < FLAT;
    const cell = (clientX: number, clientY: number): Cell => {
      const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
      const rise = Math.min(1, Math.max(0, 1 - (clientY - box.top) / box.height));
      return {
        x: cellOf(grid.columns, grid.axis.start + share * (grid.axis.end - grid.axis.start)),
        y: flat ? null : cellOf(grid.rows!, grid.durationAt!(rise)),
      };
    };
    return brushOf(grid, cell(x, y), cell(event.clientX, event.clientY));
  }

  #click(event: PointerEvent, selected: Brush | null): void {
    const { share, rise, box, grid } = this.#at(event);
    if (this.handlers.click?.(share, rise, box)) return;
    if (selected) this.#taken = { brush: selected, at: event.timeStamp };
    this.handlers.select(null);
    if (!selected)
      this.handlers.jump(cellOf(grid.columns, grid.axis.start + share * (grid.axis.end - grid.axis.start)));
  }
}
