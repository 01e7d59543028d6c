// The colours of the style sheet, for pictures.

import { theme } from '../state/theme';

const NAMES = [
  'success',
  'success-fill',
  'failed',
  'open',
  'open-fill',
  'dim',
  'text',
  'line',
  'accent',
  'bg',
  ...(['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6', 'series-rest'] as const),
] as const;
export type Colors = Record<(typeof NAMES)[number], string>;

let known: { theme: string; colors: Colors } | null = null;

/** The colours of the theme that is shown; who reads them is painted again when it changes. */
export function colors(): Colors {
  const shown = theme.value;
  if (known?.theme !== shown) {
    const style = getComputedStyle(document.documentElement);
    const read = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
    known = { theme: shown, colors: Object.fromEntries(read) as Colors };
  }
  return known.colors;
}

/** Red, green and blue of a colour as #rrggbb, each 0 to 255. */
export const rgb = (hex: string): [number, number, number] =>
  [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
