// Light or dark: as the system has it, or as chosen.

import { computed, effect, signal } from '@preact/signals';
import { stored } from './stored';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What was chosen. theme.ts reads the same name before the first paint. */
export const chosenTheme = stored<Theme>('theme', THEMES);

const dark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches;
});

const forced = matchMedia('(forced-colors: active)');
const colorsAreForced = signal(forced.matches);
forced.addEventListener('change', () => {
  colorsAreForced.value = forced.matches;
});

/** What is shown. Pictures read it, so that they are painted again when it changes. */
export const theme = computed(() => {
  const system = systemIsDark.value ? 'dark' : 'light';
  if (colorsAreForced.value) return `forced ${system}`;
  return chosenTheme.value === 'system' ? system : chosenTheme.value;
});

effect(() => {
  const root = document.documentElement;
  if (chosenTheme.value === 'system') delete root.dataset['theme'];
  else root.dataset['theme'] = chosenTheme.value;
});

export function nextTheme(): void {
  chosenTheme.value = THEMES[(THEMES.indexOf(chosenTheme.value) + 1) % THEMES.length]!;
}
