// Controls that more than one view has.
import { getJSON } from './api.js';
import { byId, element } from './elements.js';
import { notify } from './notices.js';
import { percent } from './format.js';

/** Until pipelines that could not be had are asked for again. */
const retryPause = 3000;

let known = null;

/** All pipelines, asked for once. */
export async function pipelines({ again = false } = {}) {
  if (again) known = null;
  known ??= getJSON('/v1/pipelines').then((answer) => answer.pipelines ?? []);
  try {
    return await known;
  } catch (error) {
    known = null;
    throw error;
  }
}

/** Fills a choice of pipelines, those that fit first chosen; as soon as there are some. */
export async function fillPipelines(id, fits, preferred, { isTold = false } = {}) {
  const select = byId(id);
  try {
    const fitting = (await pipelines()).filter(fits);
    const before = select.value;
    select.replaceChildren(...fitting.map(({ name, text }) => element('option', { value: name, title: text }, name)));
    const names = fitting.map(({ name }) => name);
    select.value = names.includes(before) ? before : preferred.find((name) => names.includes(name)) ?? names[0] ?? '';
  } catch (error) {
    if (!isTold) notify(error);
    // A token that is missing is asked for by another way.
    if (select.options.length > 0 || error.status === 401 || error.status === 403) return;
    setTimeout(() => fillPipelines(id, fits, preferred, { isTold: true }), retryPause);
  }
}

/** A slider of the least confidence; 0 leaves it to the model. */
export function confidence(id) {
  const [input, output] = [byId(id), byId(`${id}-value`)];
  const show = () => { output.textContent = Number(input.value) === 0 ? 'model’s own' : percent(Number(input.value)); };
  input.addEventListener('input', show);
  show();
  return () => (Number(input.value) === 0 ? undefined : input.value);
}

/** Files that are dropped on `zone` or chosen in `input`. */
export function takeFiles(zone, input, onFiles) {
  const over = (isOver) => zone.classList.toggle('over', isOver);
  zone.addEventListener('dragover', (event) => { event.preventDefault(); over(true); });
  zone.addEventListener('dragleave', () => over(false));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    if (event.dataTransfer.files.length > 0) onFiles([...event.dataTransfer.files]);
  });
  input.addEventListener('change', () => {
    const files = [...input.files];
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
}

const states = {
  queued: ['waiting', ''], running: ['running', 'busy'], done: ['done', 'good'], failed: ['failed', 'bad'], cancelled: ['stopped', 'warn'],
};

export const stateOf = (state) => states[state] ?? [state, ''];
