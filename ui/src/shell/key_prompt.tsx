// Asks for an API key where the service needs one.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { keyNeeded, signIn } from '../net/session';
import { Dialog } from './dialog';

export function KeyPrompt(): JSX.Element {
  const wrong = useSignal('');
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const key = String(new FormData(event.currentTarget as HTMLFormElement).get('key')).trim();
    try {
      await signIn(key);
      wrong.value = '';
    } catch (error) {
      wrong.value = (error as Error).message || 'the service did not take the key';
    }
  };
  return (
    <Dialog open={keyNeeded} name="API key" class="key" closable={false}>
      <form class="stack" onSubmit={submit}>
        <h2>This service needs a key</h2>
        <p class="dim">
          It needs the scope read. Make one with <code>runlake keys create</code>. The browser keeps a cookie for a
          week, not the key.
        </p>
        <input name="username" autocomplete="username" value="runlake" hidden readOnly />
        <label>
          Key
          <input
            name="key"
            type="password"
            autocomplete="current-password"
            required
            aria-invalid={wrong.value !== ''}
          />
        </label>
        {wrong.value && (
          <p class="wrong" role="alert">
            {wrong.value}
          </p>
        )}
        <button type="submit">Sign in</button>
      </form>
    </Dialog>
  );
}
