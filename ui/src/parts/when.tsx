// A time in the zone of the screen; with the pointer on it, in UTC and in the zone of the browser as well.

import type { JSX } from 'preact';
import type { Timestamp } from '../api';
import { BROWSER, zone } from '../state/zone';
import { everywhere, millis, moment } from '../text/time';

export function When({ at }: { at: Timestamp }): JSX.Element {
  const ms = millis(at);
  return (
    <time dateTime={at} title={everywhere(ms, zone.value, BROWSER)}>
      {moment(ms, zone.value)}
    </time>
  );
}
