// Whether the window is narrow, as of a telephone, or of a page that is zoomed in.

import { signal } from '@preact/signals';

const query = matchMedia('(max-width: 600px)'); // the style sheet has the same
const narrow = signal(query.matches);
query.addEventListener('change', () => {
  narrow.value = query.matches;
});

/** Whether the window is narrow; who reads it is made again when that changes. */
export const useNarrow = (): boolean => narrow.value;

const few = matchMedia('(max-width: 1150px)');
const medium = signal(few.matches);
few.addEventListener('change', () => {
  medium.value = few.matches;
});

/** Whether a table has room for fewer columns than on a wide screen. */
export const useMedium = (): boolean => medium.value;
