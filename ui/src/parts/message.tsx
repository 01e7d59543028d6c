// What an error of a group says. In the place of what differs from run to run stands a small mark.

import type { JSX } from 'preact';
import type { ErrorGroup } from '../api';

const PLACE = /<(uuid|url|time|address|n)>/;
const MEANINGS: Record<string, string> = {
  uuid: 'an id, another one in each run',
  url: 'an address of the web, which may be another one in each run',
  time: 'a time, another one in each run',
  address: 'an address of the network, which may be another one in each run',
  n: 'a number, which may be another one in each run',
};

/** Kind and message in one line. */
export function Message({ group }: { group: Pick<ErrorGroup, 'kind' | 'message'> }): JSX.Element {
  return (
    <bdi class="message">
      {group.kind && <b>{group.kind}</b>}
      {group.kind && group.message && ' '}
      {group.message.split(PLACE).map((part, at) =>
        at % 2 ? (
          <span key={`${at} ${part}`} class="place" title={MEANINGS[part]}>
            {part}
          </span>
        ) : (
          part
        ),
      )}
    </bdi>
  );
}

/** The same as plain text. */
export const messageText = ({ kind, message }: Pick<ErrorGroup, 'kind' | 'message'>): string =>
  [kind, message].filter(Boolean).join(': ');
