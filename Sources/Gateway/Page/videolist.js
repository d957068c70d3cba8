// The list of videos: shown, stopped, removed.
import { getJSON, post, query, remove } from './api.js';
import { confirmed } from './confirmation.js';
import { stateOf } from './controls.js';
import { byId, element, pill, table } from './elements.js';
import { moment, number } from './format.js';
import { notify } from './notices.js';

const interval = 3000;
const length = 50;

export const isOver = (state) => ['done', 'failed', 'cancelled'].includes(state);

const frames = ({ frames_done: done = 0, frames_total: total } = {}) => (total ? `${number(done)} / ${number(total)}` : number(done));

export class VideoList {
  #timer = null;
  #turn = 0;
  /** The one that is shown, whose events are newer than the list. */
  #told = null;

  /** @param on `show(job)`, `removed(job)` and `jobs(jobs)` as they are now; `chosen()` is the id of the one shown. */
  constructor(on) {
    this.on = on;
    this.host = byId('video-list');
    byId('video-refresh').addEventListener('click', () => this.refresh());
  }

  enter() {
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), interval);
  }

  leave() { clearInterval(this.#timer); }

  async refresh() {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const { videos = [] } = await getJSON(`/v1/videos${query({ limit: length })}`);
      // It was asked for again meanwhile: this is older.
      if (turn !== this.#turn) return;
      this.on.jobs(videos);
      this.#show(videos);
    } catch (error) {
      notify(error);
    }
  }

  /** How far a job is that is in the list. */
  tell(job) {
    this.#told = job;
    const cell = [...this.host.querySelectorAll('[data-frames]')].find(({ dataset }) => dataset.frames === job.id);
    if (cell) cell.textContent = frames(job.progress);
  }

  #progressOf(job) {
    const told = this.#told?.id === job.id ? this.#told.progress : null;
    return (told?.frames_done ?? 0) > (job.progress?.frames_done ?? 0) ? told : job.progress;
  }

  #show(jobs) {
    const chosen = this.on.chosen();
    const told = JSON.stringify([jobs, chosen]);
    if (this.host.dataset.told === told) return;
    this.host.dataset.told = told;
    const focused = this.host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.host.replaceChildren(jobs.length === 0 ? element('p', { class: 'empty' }, 'No videos yet.') : table('Videos', [
      { title: 'Name', class: 'text' }, { title: 'State' }, { title: 'Pipeline' }, { title: 'Frames', number: true }, { title: 'Uploaded' },
      { title: '' },
    ], jobs.map((job) => this.#row(job)), {
      stacks: true, onRow: (row, index) => row.classList.toggle('chosen', jobs[index].id === chosen),
    }));
    if (focused) [...this.host.querySelectorAll('button')].find((button) => button.dataset.key === focused)?.focus();
  }

  #row(job) {
    const [word, kind] = stateOf(job.state);
    const button = (text, key, act, style = '') => {
      const made = element('button', { type: 'button', class: `small ${style}`, 'aria-label': `${text} ${job.name || 'video'}`, on: { click: act } }, text);
      made.dataset.key = `${key} ${job.id}`;
      return made;
    };
    return [
      job.name || 'video', pill(word, kind), job.pipeline, element('span', { 'data-frames': job.id }, frames(this.#progressOf(job))), moment(job.created_at),
      element('span', { class: 'confidence' },
        button('Show', 'show', () => this.on.show(job)),
        isOver(job.state) ? button('Remove', 'end', () => this.#remove(job), 'danger') : button('Stop', 'end', () => this.#cancel(job), 'danger')),
    ];
  }

  /** What was found so far stays. */
  async #cancel(job) {
    try {
      await post(`/v1/videos/${encodeURIComponent(job.id)}/cancel`);
      await this.refresh();
    } catch (error) {
      notify(error);
    }
  }

  /** With its results, for good. */
  async #remove(job) {
    const isMeant = await confirmed({
      title: 'Remove this video?', text: `${job.name || 'The video'}, what was found in it and its annotated video are deleted.`, yes: 'Remove it',
    });
    if (!isMeant) return;
    try {
      await remove(`/v1/videos/${encodeURIComponent(job.id)}`);
      this.on.removed(job);
      await this.refresh();
    } catch (error) {
      notify(error);
    }
  }
}
