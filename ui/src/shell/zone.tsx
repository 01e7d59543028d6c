// The choice of the time zone.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { Popover } from '../parts/popover';
import { BROWSER, chooseZone, isZone, zone, zones } from '../state/zone';

export function ZoneChoice(): JSX.Element {
  return (
    <Popover label={<span class="zone">{zone.value}</span>} name={`Time zone: ${zone.value}`} class="zone-button">
      {(close) => <Choices close={close} />}
    </Popover>
  );
}

function Choices({ close }: { close: () => void }): JSX.Element {
  const wrong = useSignal(false);
  const choose = (name: string): void => {
    wrong.value = !isZone(name);
    if (wrong.value) return;
    chooseZone(name);
    close();
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        choose(new FormData(event.currentTarget).get('zone') as string);
      }}
    >
      <div class="row">
        {[...new Set(['UTC', BROWSER])].map((name) => (
          <button key={name} type="button" aria-pressed={zone.value === name} onClick={() => choose(name)}>
            {name}
          </button>
        ))}
      </div>
      <label>
        Any zone
        <input name="zone" list="zones" autocomplete="off" placeholder="Asia/Kolkata" aria-invalid={wrong.value} />
      </label>
      <datalist id="zones">
        {zones().map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {wrong.value && <p class="wrong">No zone has this name.</p>}
      <button type="submit">Use this zone</button>
    </form>
  );
}
