// The list of videos: shown, stopped, removed.
import { getJSON, post, query, remove } from './api.js';
import { stateOf } from './controls.js';
import { byId, element, pill, table } from './elements.js';
import { moment, number } from './format.js';
import { notify } from './notices.js';

const interval = 3000;
const length = 50;

export const isOver = (state) => ['done', 'failed', 'cancelled'].includes(state);

export class VideoList {
  #timer = null;

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
    try {
      const { videos = [] } = await getJSON(`/v1/videos${query({ limit: length })}`);
      this.on.jobs(videos);
      this.#show(videos);
    } catch (error) {
      notify(error);
    }
  }

  #show(jobs) {
    const chosen = this.on.chosen();
    const told = JSON.stringify([jobs, chosen]);
    if (this.host.dataset.told === told) return;
    this.host.dataset.told = told;
    const focused = this.host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.host.replaceChildren(jobs.length === 0 ? element('p', { class: 'empty' }, 'No videos yet.') : table('Videos', [
      { title: 'Name', class: 'text' }, { title: 'State' }, { title: 'Pipeline' }, { title: 'Frames', number: true }, { title: 'Came' },
      { title: '' },
    ], jobs.map((job) => this.#row(job)), {
      stacks: true, onRow: (row, index) => row.classList.toggle('chosen', jobs[index].id === chosen),
    }));
    if (focused) [...this.host.querySelectorAll('button')].find((button) => button.dataset.key === focused)?.focus();
  }

  #row(job) {
    const [word, kind] = stateOf(job.state);
    const { frames_done: done = 0, frames_total: total } = job.progress ?? {};
    const button = (text, key, act, style = '') => {
      const made = element('button', { type: 'button', class: `small ${style}`, 'aria-label': `${text} ${job.name || 'video'}`, on: { click: act } }, text);
      made.dataset.key = `${key} ${job.id}`;
      return made;
    };
    return [
      job.name || 'video', pill(word, kind), job.pipeline, total ? `${number(done)} / ${number(total)}` : number(done), moment(job.created_at),
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

  async #remove(job) {
    try {
      await remove(`/v1/videos/${encodeURIComponent(job.id)}`);
      this.on.removed(job);
      await this.refresh();
    } catch (error) {
      notify(error);
    }
  }
}
