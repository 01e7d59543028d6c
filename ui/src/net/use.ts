// Questions in components: they begin with the component, and end with it.

import { type ReadonlySignal, useComputed } from '@preact/signals';
import { useLayoutEffect, useMemo } from 'preact/hooks';
import type { Asked } from './ask';
import { Rows } from './rows';
import { Screen } from './screen';

/** The screen of a page. `begin` asks its questions, once; what it returns comes back with each rendering. */
export function useScreen<T>(begin: (screen: Screen) => T): [Screen, T] {
  const made = useMemo(() => {
    const screen = new Screen();
    return [screen, begin(screen)] as [Screen, T];
  }, []);
  useLayoutEffect(() => () => made[0].close(), []); // at once: other effects end after the next page is drawn
  return made;
}

/** The rows of a list of runs. */
export function useRows(screen: Screen, query: () => Asked<'/runs'> | null): Rows {
  const asked: ReadonlySignal<Asked<'/runs'> | null> = useComputed(query);
  const rows = useMemo(() => new Rows(screen, asked), []);
  useLayoutEffect(() => () => rows.close(), []);
  return rows;
}
