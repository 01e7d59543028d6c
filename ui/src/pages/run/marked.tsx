// A run in the drawer beside a list.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Screen } from '../../net/screen';
import { useScreen } from '../../net/use';
import { MissingRun } from '../../parts/missing';
import { Trouble } from '../../parts/trouble';
import { address } from '../../state/url';
import { closeDrawer, marked } from '../runs/drawer';
import { marks, toggleMark } from '../runs/marks';
import { begin, type Questions } from './questions';
import { RunView } from './view';

/** Its answers may be of a newer snapshot than those of the list, which stays as it is meanwhile. */
const beginBeside = (screen: Screen): Questions => begin(screen, marked);

export function MarkedRun(): JSX.Element {
  const [, questions] = useScreen(beginBeside);
  const { run: panel } = questions;
  const run = panel.answer.value?.body;
  const id = marked() ?? '';
  useEffect(() => {
    document.querySelector('.drawer')?.scrollTo({ top: 0 });
  }, [id]);
  const missing = panel.trouble.value?.status === 404;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <aside class="drawer" aria-label="Marked run" tabIndex={0}>
      <div class="tools close">
        <a href={address(`/ui/runs/${id}`)} aria-keyshortcuts="Enter">
          Open its page <kbd>↵</kbd>
        </a>
        <button
          type="button"
          onClick={() => toggleMark(id)}
          aria-pressed={marks.value.includes(id)}
          aria-keyshortcuts="x"
        >
          {marks.value.includes(id) ? 'Marked' : 'Mark to compare'} <kbd>x</kbd>
        </button>
        <button type="button" onClick={closeDrawer} aria-label="Close the marked run" aria-keyshortcuts="Escape">
          ✕
        </button>
      </div>
      {missing ? <MissingRun id={id} /> : <Trouble panel={panel} name="Run" />}
      {run && !missing && <RunView run={run} questions={questions} />}
    </aside>
  );
}
