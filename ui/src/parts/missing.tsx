// What stands in place of a run that is not there.

import type { JSX } from 'preact';
import { address } from '../state/url';

export const MissingRun = ({ id }: { id: string }): JSX.Element => (
  <p class="nothing">
    There is no run with the id <bdi>{id}</bdi>. Perhaps it is older than the history.{' '}
    <a href={address('/ui/runs')}>All runs</a>
  </p>
);
