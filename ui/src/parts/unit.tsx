// What a number of a table is of, where the heads of the table are not seen.

import type { JSX } from 'preact';
import { useNarrow } from '../state/narrow';

export const Unit = ({ text }: { text: string }): JSX.Element | null =>
  useNarrow() ? <span class="dim">{text}</span> : null;
