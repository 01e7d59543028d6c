// The key: where the service needs one, the browser trades it for a cookie that scripts cannot read.

import { signal } from '@preact/signals';
import { Problem, Unreachable } from './ask';

/** Whether the service wants a key that this browser has not given yet. */
export const keyNeeded = signal(false);

/** Counts sessions: who asked without a key asks again when it changes. */
export const sessions = signal(0);

/** Gives a key to the service. Throws Problem when it is wrong, and Unreachable. */
export async function signIn(key: string): Promise<void> {
  const response = await fetch('/session', { method: 'POST', headers: { Authorization: `Bearer ${key}` } }).catch(
    (error: unknown) => {
      throw new Unreachable(String(error));
    },
  );
  if (!response.ok) {
    const body = (await response.json().catch(() => ({}))) as { title?: string; detail?: string };
    throw new Problem(
      response.status,
      'about:blank',
      body.title ?? response.statusText,
      body.detail ?? '',
      '',
      null,
      [],
    );
  }
  keyNeeded.value = false;
  sessions.value += 1;
}
