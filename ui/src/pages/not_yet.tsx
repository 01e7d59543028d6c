// Stands in the place of pages that are not here yet.

import type { JSX } from 'preact';
import { useScreen } from '../net/use';
import { Page } from '../shell/page';
import { address } from '../state/url';

export function NotYet({ title }: { title: string }): JSX.Element {
  const [screen] = useScreen(() => null);
  return (
    <Page title={title} screen={screen}>
      <p class="nothing">
        This page is not here yet. All runs are on the page <a href={address('/ui/runs')}>Runs</a>.
      </p>
    </Page>
  );
}
