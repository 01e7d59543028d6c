// The time zone of every label, and of the borders of days. It is in the address unless it is UTC.

import { computed } from '@preact/signals';
import { change, place } from './url';

export const BROWSER = Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

/** All zones that the browser knows, UTC first. */
export const zones = (): string[] => ['UTC', ...Intl.supportedValuesOf('timeZone').filter((name) => name !== 'UTC')];

/** Whether a name is that of a zone. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const zone = computed(() => {
  const asked = place.value.query['tz'];
  return asked && isZone(asked) ? asked : 'UTC';
});

export const chooseZone = (name: string): void => change({ tz: name === 'UTC' ? undefined : name });
