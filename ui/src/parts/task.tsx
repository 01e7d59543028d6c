// A task by its name; one without a name by the first digits of its id.

import type { JSX } from 'preact';
import type { Uuid } from '../api';
import { isNamed, taskName } from '../net/names';
import { address } from '../state/url';

export function Task({ id }: { id: Uuid }): JSX.Element {
  return (
    <a href={address(`/ui/tasks/${id}`, { task_id: undefined })} title={id} class={isNamed(id) ? 'task' : 'task mono'}>
      <bdi>{taskName(id)}</bdi>
    </a>
  );
}
