// Copying, and saying that it is done.

import { signal } from '@preact/signals';

/** What was done last, for the polite region of the footer. */
export const said = signal('');
let timer = 0;

/** Says something for three seconds. */
export function say(text: string): void {
  said.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    said.value = '';
  }, 3000) as unknown as number;
}

/** Puts text on the clipboard. Without a secure context there is none: then the text is selected to be copied by hand. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    say(byHand(text) ? `${what} copied` : `${what} could not be copied`);
  }
}

/** The old way, which also works over plain HTTP from another machine. */
function byHand(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'vh';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
