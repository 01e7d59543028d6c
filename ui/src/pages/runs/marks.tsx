// Marked runs of a list: `x` marks one, `c` compares two. They are in the address, so Back finds them again.

import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import type { Uuid } from '../../api';
import { chooseRow, markedRuns, markTwo } from '../../messages';
import { copy, say } from '../../parts/clipboard';
import { useShortcuts } from '../../shell/keys';
import { address, change, go, listOf, place, writeList } from '../../state/url';

const MOST = 50;

export const marks = computed<readonly Uuid[]>(() => listOf(place.value.query['marks']).slice(0, MOST));

export function toggleMark(id: Uuid): void {
  const now = marks.peek();
  const made = now.includes(id) ? now.filter((other) => other !== id) : [...now, id].slice(0, MOST);
  change({ marks: made.length ? writeList(made) : undefined }, 'replace');
}

/** The page that compares two runs. */
const compareAddress = (): string => {
  const [a, b] = marks.value;
  return address('/ui/runs/compare', { a, b });
};

function compare(): void {
  if (marks.peek().length === 2) go(compareAddress());
  else say(markTwo);
}

export function useMarks(): void {
  useShortcuts([
    {
      keys: 'x',
      does: 'Mark the row, or take its mark away',
      run: () => {
        const id = place.peek().query['sel'];
        if (id) toggleMark(id);
        else say(chooseRow);
      },
    },
    { keys: 'c', does: 'Compare the two marked runs', run: compare },
  ]);
}

/** What can be done with the marked runs. */
export function MarkBar(): JSX.Element | null {
  const all = marks.value;
  if (!all.length) return null;
  return (
    <fieldset class="group" aria-label="Marked runs">
      <b>{markedRuns(all.length)}</b>
      {all.length === 2 ? (
        <a class="button" href={compareAddress()} aria-keyshortcuts="c">
          Compare <kbd>c</kbd>
        </a>
      ) : (
        <span class="dim">{all.length < 2 ? 'mark another one with x to compare them' : 'two can be compared'}</span>
      )}
      <button type="button" onClick={() => copy(all.join('\n'), 'Ids')}>
        Copy ids
      </button>
      <button type="button" onClick={() => change({ marks: undefined }, 'replace')}>
        Remove marks
      </button>
    </fieldset>
  );
}
