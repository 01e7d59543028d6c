// One line for the whole page while the service is gone, or starting. What was there stays.

import type { JSX } from 'preact';
import { look, outage } from '../net/connection';
import { Countdown } from '../parts/trouble';
import { zone } from '../state/zone';
import { seconds } from '../text/time';

export function OutageLine(): JSX.Element {
  const found = outage.value;
  return (
    <div role="status" class={found ? 'outage' : ''}>
      {found && (
        <>
          <b>
            {found.starting === null
              ? `No connection to the service since ${seconds(found.since, zone.value)}`
              : `The service is starting: ${found.starting}`}
          </b>
          <Countdown until={found.lookAt} />
          <button type="button" onClick={() => void look()}>
            Try now
          </button>
        </>
      )}
    </div>
  );
}
