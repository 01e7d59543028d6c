// The views that a team shares: open one, begin with one, share what is shown, forget one.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import '../app'; // see pages/others
import type { View } from '../api';
import { Problem } from '../net/ask';
import { addressOfView, beginsWith, beginWith, remove, save, views } from '../net/views';
import { Trouble } from '../parts/trouble';

export { begin } from '../net/views';

export function ViewsList(): JSX.Element {
  const wrong = useSignal('');
  const gone = useSignal<View | null>(null);
  useEffect(() => views.retry(), []); // others may have changed them
  const change = async (change: Promise<void>, removed: View | null = null): Promise<boolean> => {
    wrong.value = '';
    try {
      await change;
      gone.value = removed;
      return true;
    } catch (error) {
      wrong.value = error instanceof Problem ? `${error.title}: ${error.detail}` : 'There is no connection.';
      return false;
    }
  };
  const all = views.answer.value?.body.views;
  return (
    <>
      <Trouble panel={views} name="Views" />
      {all?.length === 0 && <p class="dim">There are none yet. A view is a screen with a name, for everybody here.</p>}
      <ul>
        {all?.map((view) => (
          <Line key={view.name} view={view} remove={() => change(remove(view.name), view)} />
        ))}
      </ul>
      {gone.value && (
        <p role="status" class="row">
          <span class="grow">
            <bdi>{gone.value.name}</bdi> is gone, for everybody.
          </span>
          <button type="button" onClick={() => change(save(gone.value!.name, gone.value!.query))}>
            Undo
          </button>
        </p>
      )}
      <Save names={all?.map(({ name }) => name) ?? []} save={(name) => change(save(name))} />
      {wrong.value && (
        <p class="wrong" role="alert">
          {wrong.value}
        </p>
      )}
    </>
  );
}

function Line({ view, remove }: { view: View; remove: () => void }): JSX.Element {
  const { name } = view;
  const isDefault = beginsWith.value === name;
  return (
    <li class="row">
      <a class="grow" href={addressOfView(view)} onClick={close}>
        <bdi>{name}</bdi>
      </a>
      <button
        type="button"
        class="bare"
        aria-pressed={isDefault}
        aria-label={`Begin with the view ${name}`}
        title="This browser begins with it"
        onClick={() => beginWith(isDefault ? '' : name)}
      >
        {isDefault ? '★' : '☆'}
      </button>
      <button
        type="button"
        class="bare"
        aria-label={`Forget the view ${name}`}
        title="Forget, for everybody"
        onClick={remove}
      >
        ✕
      </button>
    </li>
  );
}

const close = ({ currentTarget }: MouseEvent): void =>
  (currentTarget as Element).closest<HTMLElement>('.popover')!.hidePopover();

function Save({ names, save }: { names: string[]; save: (name: string) => Promise<boolean> }): JSX.Element {
  const typed = useSignal('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current!.focus(), []); // it comes after the box was opened
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (await save(typed.value.trim())) typed.value = '';
  };
  return (
    <form class="row" onSubmit={submit}>
      <label class="grow">
        Name of what is shown
        <input
          ref={field}
          required
          maxLength={100}
          autocomplete="off"
          pattern="[^\/]*[^\s\/][^\/]*"
          title="Any text without /"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
      </label>
      <button type="submit">{names.includes(typed.value.trim()) ? 'Replace' : 'Save'}</button>
    </form>
  );
}
