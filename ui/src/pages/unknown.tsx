// An address that belongs to no page.

import type { JSX } from 'preact';
import { useScreen } from '../net/use';
import { Page } from '../shell/page';
import { address, place } from '../state/url';

export function UnknownPage(): JSX.Element {
  const [screen] = useScreen(() => null);
  return (
    <Page title="Not found" screen={screen}>
      <p class="nothing">
        No page has the address <bdi>{place.value.path}</bdi>. <a href={address('/ui/runs')}>All runs</a>
      </p>
    </Page>
  );
}
