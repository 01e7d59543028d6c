// The marked run of the list, beside it. `j` and `k` go on to others, Enter opens its page, Escape closes it.

import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Screen } from '../../net/screen';
import { useScreen } from '../../net/use';
import { Trouble } from '../../parts/trouble';
import { address, change, go, place } from '../../state/url';
import { begin, type Questions } from '../run/questions';
import { RunView } from '../run/view';

/** The run of the drawer; null while it is closed. */
export const marked = (): string | null => place.value.query['sel'] ?? null;

export const closeDrawer = (): void => change({ sel: undefined }, 'replace');

export function openMarked(): void {
  const id = place.peek().query['sel'];
  if (id) go(address(`/ui/runs/${id}`));
}

export function Drawer(): JSX.Element | null {
  return marked() === null ? null : <Opened />;
}

/** Its answers may be of a newer snapshot than those of the list, which stays as it is meanwhile. */
const beginBeside = (screen: Screen): Questions => begin(screen, marked);

function Opened(): JSX.Element {
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
        <button type="button" onClick={closeDrawer} aria-label="Close the marked run" aria-keyshortcuts="Escape">
          ✕
        </button>
      </div>
      {missing ? <p class="nothing">There is no run with the id {id}.</p> : <Trouble panel={panel} name="Run" />}
      {run && !missing && <RunView run={run} questions={questions} />}
    </aside>
  );
}
