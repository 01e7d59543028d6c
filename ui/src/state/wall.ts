// The Overview for a wall: nothing to click at, larger type, and it goes on with the time whatever else is chosen.

import { computed } from '@preact/signals';
import { address, go, place } from './url';

export const wall = computed(() => place.value.query['tv'] === '1' && /^\/(ui\/?)?$/.test(place.value.path));

/** Shows it, or the page with all around it again. */
export const toggleWall = (): void => go(address('/', { tv: wall.peek() ? undefined : '1' }));
