// What people call the tasks. All names come in one answer, which is asked for again with its tag.

import { computed } from '@preact/signals';
import type { TaskName, Uuid } from '../api';
import { Screen } from './screen';

const screen = new Screen();
const panel = screen.ask('/tasks/names', () => ({}));

const known = computed<Readonly<Record<Uuid, TaskName>>>(() => panel.answer.value?.body.names ?? {});

/** All named tasks, in the order of their names. */
export const namedTasks = computed(() =>
  Object.entries(known.value)
    .map(([id, named]) => ({ id, ...named }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)),
);

/** The name of a task, or the first eight digits of its id. */
export const taskName = (id: Uuid): string => known.value[id]?.name ?? id.slice(0, 8);

export const isNamed = (id: Uuid): boolean => id in known.value;

/** Asks for the names again. */
export const refreshNames = (): void => panel.retry();
