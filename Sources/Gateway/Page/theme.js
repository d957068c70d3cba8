// Light, dark, or as the system has it; what was chosen is remembered.
import { byId } from './elements.js';

const key = 'framemesh.theme';
const choices = ['system', 'light', 'dark'];
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const watchers = new Set();

const chosen = () => (choices.includes(localStorage.getItem(key)) ? localStorage.getItem(key) : 'system');

function apply() {
  const choice = chosen();
  document.documentElement.dataset.theme = choice === 'system' ? (systemIsDark.matches ? 'dark' : 'light') : choice;
  byId('theme').textContent = `Theme: ${choice}`;
  watchers.forEach((watcher) => watcher());
}

/** Canvases draw again when the colours change. */
export const onTheme = (watcher) => watchers.add(watcher);

/** A colour of the sheet. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function setUpTheme() {
  apply();
  systemIsDark.addEventListener('change', apply);
  byId('theme').addEventListener('click', () => {
    localStorage.setItem(key, choices[(choices.indexOf(chosen()) + 1) % choices.length]);
    apply();
  });
}
