// Whether two shares differ by more than chance.

/** The G statistic of `part` among `all` beside `otherPart` among `others`; above 10.8, chance would do it once in 1,000. */
export function gTest(part: number, all: number, otherPart: number, others: number): number {
  const total = all + others;
  const withIt = part + otherPart;
  const cell = (seen: number, row: number, column: number): number =>
    seen > 0 ? seen * Math.log((seen * total) / (row * column)) : 0;
  return (
    2 *
    (cell(part, all, withIt) +
      cell(all - part, all, total - withIt) +
      cell(otherPart, others, withIt) +
      cell(others - otherPart, others, total - withIt))
  );
}

export const STRONG = 10.83; // once in 1,000
export const WEAK = 3.84; // once in 20
