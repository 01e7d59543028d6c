// What the service says of itself and of its history. It is asked once, and again when another key is given.

import { computed } from '@preact/signals';
import { millis } from '../text/time';
import { Screen } from './screen';

const panel = new Screen().ask('/about', () => ({}));

/** When the first run was, in milliseconds since 1970; null while that is not known, or where there is none. */
export const oldest = computed(() => {
  const found = panel.answer.value?.body.oldest;
  return found ? millis(found) : null;
});

/** Whether who asks the service has to send a key. */
export const keyed = computed(() => panel.answer.value?.body.auth === 'key');

/** Whether there is no run at all. */
export const isEmpty = computed(() => panel.answer.value?.body.runs === 0);
