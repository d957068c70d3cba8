// Parts of the view of one video: its tracks, and what can be downloaded.
import { download } from './api.js';
import { colourOf } from './colours.js';
import { element, table } from './elements.js';
import { clock, number } from './format.js';
import { notify } from './notices.js';

const tracksShown = 200;

/** @param onSeek gets the first frame of a track that is chosen. */
export function showTracks(host, all, frameRate, onSeek) {
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
      `${clock(track.first / frameRate)} – ${clock(track.last / frameRate)}`,
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
