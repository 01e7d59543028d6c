// What stands where nothing is: why, and what would match.

import type { ComponentChildren, JSX } from 'preact';
import { chosenFilters, clearFilters } from '../state/filters';
import { zoomOut } from '../state/window';

interface EmptyProps {
  text: string;
  /** What is added to the text while there are filters; it then ends with a full stop by itself. */
  filtered?: string;
  /** Whether the filters make no difference to what is missing. */
  unfiltered?: boolean;
  /** Other ways on, before those that every page has. */
  children?: ComponentChildren;
}

export function Empty({ text, filtered, unfiltered, children }: EmptyProps): JSX.Element {
  const any = !unfiltered && Object.keys(chosenFilters.value).length > 0;
  return (
    <div class="nothing">
      <p>{filtered === undefined ? text : `${text}${any ? ` ${filtered}` : ''}.`}</p>
      <div class="row">
        {children}
        {any && (
          <button type="button" onClick={clearFilters}>
            Clear the filters
          </button>
        )}
        <button type="button" onClick={zoomOut}>
          Twice as long
        </button>
      </div>
    </div>
  );
}
