// Parts of the view of one video: how far it is, its events and tracks, and what can be downloaded.
import { download } from './api.js';
import { sentenceOf } from './areaevents.js';
import { colourOf } from './colours.js';
import { element, table } from './elements.js';
import { clock, count, number, percent, rate, roughly } from './format.js';
import { notify } from './notices.js';

const eventsShown = 300;
const tracksShown = 200;

/** Why there is no annotated video of a job, in words. */
export const whyNoPicture = ({ state, annotate }) =>
  annotate === false ? 'no annotated video was asked for'
    : state === 'failed' ? 'there is no annotated video, because the video could not be done'
      : state === 'cancelled' ? 'there is no annotated video, because it was stopped'
        : 'the picture comes with the annotated video';

/** @param share of its frames that are done; undefined: it is not known. */
export function progressText({ state, phase, progress = {}, waiting_for: wanted, failures = [] }, share) {
  const { frames_done: done = 0, frames_total: total, rate: perSecond, eta_seconds: left, dropped, failed, damaged_packets: damaged } = progress;
  return [
    total ? `${number(done)} of ${count(total, 'frame')}` : count(done, 'frame'),
    share !== undefined && state === 'running' && percent(share),
    perSecond > 0 && `${rate(perSecond)} frames/s`,
    state === 'running' && left !== undefined && left !== null && `${roughly(left)} left`,
    phase === 'annotating' && 'draws the annotated video',
    wanted && `waits for ${wanted}`,
    dropped > 0 && `${number(dropped)} dropped`,
    failed > 0 && `${number(failed)} failed${failures.length > 0 ? ` (${failures[0].cause})` : ''}`,
    damaged > 0 && `${count(damaged, 'damaged packet')} in the file`,
  ].filter(Boolean).join(' · ');
}

/** @param onSeek gets the frame of an event that is chosen. */
export function showEvents(host, all, onSeek) {
  // It stays under the fingers of who is in it.
  if (host.contains(document.activeElement)) return;
  host.replaceChildren(...all.filter((event) => event.type !== 'count').slice(-eventsShown).map((event) => element('li', {},
    element('button', {
      type: 'button', class: 'small', 'aria-label': `Go to ${clock(event.at_ms / 1000)}: ${sentenceOf(event)}`,
      on: { click: () => onSeek(event.sequence) },
    }, clock(event.at_ms / 1000)),
    element('span', {}, sentenceOf(event)))));
}

/**
 * @param times `FrameTimes` of the video
 * @param onSeek gets the first frame of a track that is chosen.
 */
export function showTracks(host, all, times, onSeek) {
  // It stays under the fingers of who is in it.
  if (host.contains(document.activeElement)) return;
  const tracks = all.slice(-tracksShown);
  const left = all.length - tracks.length;
  host.replaceChildren(left > 0 ? element('p', { class: 'hint' }, `The newest ${number(tracks.length)} of ${number(all.length)}.`) : '', tracks.length === 0 ? element('p', { class: 'empty' }, 'None yet; pipelines with “track” make them.') : table('Tracks', [
    { title: 'Track' }, { title: 'Thing', class: 'text' }, { title: 'Frames', number: true }, { title: 'Seen', number: true },
  ], tracks.map((track) => {
    const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.background = colourOf(`track ${track.id}`);
    return [
      element('span', {}, swatch, track.epoch ? `#${track.id} (run ${track.epoch})` : `#${track.id}`), track.label, number(track.frames),
      `${clock(times.of(track.first))} – ${clock(times.of(track.last))}`,
    ];
  }), {
    onRow: (row, index) => {
      const seek = () => onSeek(tracks[index].first);
      row.tabIndex = 0;
      row.addEventListener('click', seek);
      row.addEventListener('keydown', (event) => { if (event.key === 'Enter') seek(); });
    },
  }));
}

export function offerDownloads(host, job) {
  const told = `${job.id} ${job.state}`;
  if (host.dataset.told === told) return;
  host.dataset.told = told;
  const stem = (job.name || 'video').replace(/\.[^.]*$/, '');
  const base = `/v1/videos/${encodeURIComponent(job.id)}`;
  const offer = (text, path, name, isReady) => element('button', {
    type: 'button', disabled: !isReady, on: { click: () => download(`${base}/${path}`, name).catch(notify) },
  }, text);
  host.replaceChildren(
    offer('JSON lines', 'results?format=jsonl', `${stem}.jsonl`, true),
    offer('CSV table', 'results?format=csv', `${stem}.csv`, true),
    offer('MOT tracks', 'results?format=mot', `${stem}.mot.txt`, true),
    offer('Annotated video', 'annotated', `${stem}.annotated.mp4`, job.state === 'done' && job.annotate !== false));
}
