// Which rows of a long list are seen. The window scrolls, so the scrollbar of the browser is over all rows.

/** A list that would be taller stands for more rows than it has pixels for.
 *
 *  Chromium cuts elements at 33,554,428 px, and paints with floats of 24 bits: beyond 4 million, lines and letters of rows
 *  no longer fall on the same parts of a pixel.
 */
export const TALLEST = 4_000_000;
const JUMP = 3; // screens: what moves farther was dragged

export interface View {
  /** Ranks of the first row that is drawn, and of the one after the last. */
  first: number;
  last: number;
  /** Pixels above the first one, and the height of the whole list. */
  top: number;
  height: number;
}

export interface Sizes {
  total: number;
  row: number;
  /** Pixels of the screen that the list may fill. */
  screen: number;
}

const MARGIN = 8; // rows that are drawn above and below those seen

/** Maps scrolling to rows: one to one while the list fits, and beyond that by what moved.
 *
 *  Short ways move the rows as far as the page moves; long ways, which only a dragged scrollbar makes, move them by
 *  their share of the whole. Both ends are always reached.
 */
export class Scroll {
  /** Pixels of all rows above the screen. */
  #offset = 0;
  #before = 0;

  /** What is seen when the list is scrolled by so many pixels. */
  at(scrolled: number, { total, row, screen }: Sizes): View {
    const all = total * row;
    const height = Math.min(all, TALLEST);
    const most = Math.max(0, height - screen);
    const place = Math.min(most, Math.max(0, scrolled));
    this.#offset = all <= TALLEST ? place : this.#moved(place, most, all - screen, screen);
    this.#before = place;
    const first = Math.max(0, Math.floor(this.#offset / row) - MARGIN);
    const last = Math.min(total, Math.ceil((this.#offset + screen) / row) + MARGIN);
    return { first, last, top: Math.max(0, place + first * row - this.#offset), height };
  }

  /** Where to scroll so that a row is at the top of the screen; the next `at` is exact. */
  to(rank: number, { total, row, screen }: Sizes): number {
    const all = total * row;
    const height = Math.min(all, TALLEST);
    const offset = Math.min(rank * row, Math.max(0, all - screen));
    const place = all <= TALLEST ? offset : (offset / (all - screen)) * (height - screen);
    this.#offset = offset;
    this.#before = place;
    return place;
  }

  #moved(place: number, most: number, farthest: number, screen: number): number {
    if (place <= 0) return 0;
    if (place >= most) return farthest;
    const way = place - this.#before;
    const offset = Math.abs(way) < JUMP * screen ? this.#offset + way : (place / most) * farthest;
    return Math.min(farthest, Math.max(0, offset));
  }
}
