// Numbers as text. The page speaks English, so numbers do as well.

export const LOCALE = 'en';

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 });
const signed = new Intl.NumberFormat(LOCALE, { signDisplay: 'exceptZero' });
const plurals = new Intl.PluralRules(LOCALE);

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** A whole number with separators: 174,415. */
export const count = (n: number): string => whole.format(n);

/** A number for an axis, in three digits: 174K. */
export const compact = (n: number): string => short.format(n);

/** A difference with its sign: +412, −17. */
export const difference = (n: number): string => signed.format(n).replace('-', '−');

/** A share between 0 and 1 in per cent. It is never rounded to a whole that it is not: 99.996 % stays below 100. */
export function percent(share: number): string {
  const exact = share * 100;
  if (exact === 0 || exact === 100) return `${exact} %`;
  const near = Math.min(exact, 100 - exact);
  const digits = near < 0.01 ? 4 : near < 1 ? 2 : exact > 90 ? 2 : 1;
  return `${exact.toFixed(digits)} %`;
}

/** A factor: 2.3×, 12×, 0.08×. */
export const times = (factor: number): string =>
  `${factor < 9.95 ? factor.toFixed(factor < 0.095 ? 2 : 1) : count(factor)}×`;

/** A count with its noun: `plural(1, 'run', 'runs')` is "1 run". */
export const plural = (n: number, one: string, many: string): string =>
  `${count(n)} ${plurals.select(n) === 'one' ? one : many}`;
