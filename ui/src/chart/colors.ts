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
    known = { theme: shown, colors: read() };
  }
  return known.colors;
}

/** Reads each off an element, which makes red, green and blue of whatever the style sheet says, as of system colours. */
function read(): Colors {
  const probe = document.createElement('i');
  probe.className = 'probe vh';
  document.body.append(probe);
  const found = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found) as Colors;
}

/** Red, green and blue of a computed colour, each 0 to 255: of `rgb(27, 110, 156)` and of `color(srgb 0.5 0.5 0.5)`. */
export function rgb(computed: string): [number, number, number] {
  const unit = computed.startsWith('color(') ? 255 : 1;
  return (computed.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => Number(part) * unit) as [number, number, number];
}
