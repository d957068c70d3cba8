// Live streams: this device's camera, sent frame by frame, or a stream that the gateway reads; with how old a frame is.
import { AreaCounts, sentenceOf } from './areaevents.js';
import { AreaEditor } from './areas.js';
import { getJSON, open, remove, sendJSON } from './api.js';
import { credentials } from './access.js';
import { Camera } from './camera.js';
import { fillPipelines } from './controls.js';
import { byId, element, pill, table, tile } from './elements.js';
import { follow } from './eventstream.js';
import { milliseconds, number, rate } from './format.js';
import { clearNotices, notify } from './notices.js';
import { showPictures } from './movingpictures.js';
import { Problem, sentence } from './problems.js';
import { Stage } from './stage.js';

const listInterval = 3000;
const eventsShown = 100;
const trailLength = 30;
/** Milliseconds over which the rate is taken. */
const rateWindow = 3000;
const tilesPause = 250;
/** Milliseconds from which a frame is no longer what the camera sees. */
const oldAge = 2000;
/** Of a mesh that has much to do, or loses a part. */
const passing = [422, 429, 502, 503, 504];

const kinds = { live: 'good', connecting: 'busy', stalled: 'warn', failed: 'bad' };
/** How the gateway begins to say for how long nothing has come. */
const silence = 'no frames';

/** How a stream is, for people; `cause` is the gateway's own. */
function stateWords(state, cause) {
  const why = cause ? `: ${cause}` : '';
  return {
    live: 'Live.', connecting: `Connecting${why} …`,
    stalled: `No new frames${cause?.startsWith(silence) ? cause.slice(silence.length) : why}. Waiting for more …`,
    failed: `The stream has failed${why}.`, ended: `The stream has ended${why}.`,
  }[state] ?? state ?? '';
}

/** The gateway tells who comes and goes from now on, not who did before. */
const since = 'since you watch';

const addressWords = { url: ['Address', 'rtsp://camera.example/stream'], file: ['Name in the gateway’s camera folder', 'street.mp4'] };

/** Of one without a name: what it shows, or the end of its id, which tells it from others. */
const nameOf = ({ name, source, id }) => name || source?.url || source?.file || `Pushed frames …${id.slice(-6)}`;

export class LiveView {
  #stream = null;
  #stopper = null;
  #camera = null;
  #listTimer = null;
  #listTurn = 0;
  #tilesTimer = null;
  #isShown = false;
  /** The newest frame with an answer, those before it, and how old its answer was. */
  #latest = null;
  #history = [];
  #lastAge = undefined;
  /** Of the picture on the stage: how old it was when it came, and when that was. */
  #shown = null;
  #arrivals = [];
  #dropped = 0;
  #counts = new AreaCounts({ since });

  constructor() {
    this.stage = new Stage(byId('live-stage'), 'The stream');
    this.editor = new AreaEditor({
      stage: this.stage, tools: byId('live-tools'), help: byId('live-tools-help'), list: byId('live-areas'),
      quietLine: `No crossings ${since}`,
      onChange: (areas) => this.#saveAreas(areas),
    });
    byId('live-source').addEventListener('change', () => this.#showSource());
    byId('live-form').addEventListener('submit', (event) => { event.preventDefault(); this.#start(); });
    byId('live-stop').addEventListener('click', () => this.#stop());
    byId('live-refresh').addEventListener('click', () => this.#list());
    window.addEventListener('pagehide', () => this.#abandon());
    this.#reset();
    this.#showSource();
  }

  enter() {
    this.#isShown = true;
    fillPipelines('live-pipeline', () => true, ['cascade+track', 'track', 'detect']);
    this.#list();
    this.#listTimer = setInterval(() => this.#list(), listInterval);
  }

  /** A stream goes on while another tab of the page is looked at. */
  leave() {
    this.#isShown = false;
    clearInterval(this.#listTimer);
  }

  #showSource() {
    const words = addressWords[byId('live-source').value];
    byId('live-address-field').hidden = !words;
    if (!words) return;
    byId('live-address-label').textContent = words[0];
    byId('live-address').placeholder = words[1];
  }

  #reset() {
    this.#latest = null;
    this.#lastAge = undefined;
    this.#shown = null;
    this.#arrivals = [];
    this.#dropped = 0;
    this.#history = [];
    this.#counts = new AreaCounts({ since });
    byId('live-events').replaceChildren();
  }

  // ---- begin and end ----

  async #start() {
    clearNotices();
    await this.#stop();
    const kind = byId('live-source').value;
    const address = byId('live-address').value.trim();
    if (kind !== 'camera' && address === '') return byId('live-address').focus();
    byId('live-start').disabled = true;
    byId('live-status').textContent = 'Starting …';
    try {
      if (kind === 'camera') this.#camera = await Camera.open();
      const source = { camera: { push: true }, url: { url: address }, file: { file: address, loop: true } }[kind];
      const stream = await sendJSON('POST', '/v1/streams', {
        name: kind === 'camera' ? 'Camera of a browser' : address, source,
        pipeline: byId('live-pipeline').value, policy: byId('live-policy').value,
      });
      this.#watch(stream, { isOwn: true });
      if (this.#camera) this.#push(stream);
      await this.#list();
    } catch (error) {
      byId('live-status').textContent = '';
      this.#camera?.close();
      this.#camera = null;
      notify(error);
    } finally {
      byId('live-start').disabled = false;
    }
  }

  /** Looks at a stream, its own picture from the camera or else the gateway's. */
  #watch(stream, { isOwn = false } = {}) {
    this.#reset();
    const stop = new AbortController();
    this.#stopper = stop;
    this.#stream = { ...stream, isOwn };
    byId('live-result').hidden = false;
    byId('live-stop').hidden = false;
    byId('live-stop').textContent = isOwn ? 'Stop' : 'Leave';
    byId('live-stop').setAttribute('aria-label', `${isOwn ? 'Stop' : 'Leave'} ${nameOf(stream)}`);
    byId('live-name').textContent = nameOf(stream);
    this.stage.draw({});
    this.stage.setAspect(1);
    this.#changed(stream);
    const path = `/v1/streams/${encodeURIComponent(stream.id)}`;
    const isCurrent = () => this.#stopper === stop;
    follow(`${path}/events`, {
      frame: (frame) => isCurrent() && this.#arrived(frame),
      area: (event) => isCurrent() && this.#happened(event),
      state: (state) => isCurrent() && this.#changed(state),
      end: () => isCurrent() && this.#ended('The stream has ended.'),
    }, { signal: stop.signal }).catch((error) => { if (isCurrent()) { notify(error); this.#ended('The stream is gone.'); } });
    if (this.#camera) {
      this.stage.show(this.#camera.video);
      this.stage.setSize(this.#camera.width, this.#camera.height);
      this.#edit(stream.areas);
    } else {
      // Areas in shares of the picture wait for its size.
      this.#edit(stream.areas?.normalized ? undefined : stream.areas);
      byId('live-tools').hidden = Boolean(stream.areas?.normalized);
      let isSized = !stream.areas?.normalized;
      showPictures(`${path}/mjpeg`, this.stage, {
        signal: stop.signal,
        onShown: (shown) => {
          if (!isSized) this.#edit(stream.areas);
          isSized = true;
          this.#shown = { age: shown.age, at: performance.now() };
          this.#note(null);
        },
        onBreak: (why) => isCurrent() && this.#note(why),
      }).catch((error) => { if (isCurrent()) { this.#note(sentence(error)); notify(error); } });
    }
    this.#tilesTimer = setInterval(() => this.#tiles(), tilesPause);
  }

  #edit(areas) {
    this.editor.set(areas, this.stage);
    byId('live-tools').hidden = false;
  }

  async #stop() {
    const stream = this.#stream;
    if (!stream) return;
    this.#ended('');
    if (stream.isOwn) await remove(`/v1/streams/${encodeURIComponent(stream.id)}`).catch(notify);
    await this.#list();
  }

  #ended(text) {
    this.#stopper?.abort();
    this.#stopper = null;
    this.#camera?.close();
    this.#camera = null;
    clearInterval(this.#tilesTimer);
    this.#stream = null;
    byId('live-stop').hidden = true;
    byId('live-status').textContent = text;
    byId('live-tools').hidden = true;
    this.#note(text === '' ? null : text);
    if (text === '') byId('live-result').hidden = true;
  }

  /** The tab closes: the camera's stream has no one left. */
  #abandon() {
    if (!this.#stream?.isOwn || !this.#camera) return;
    fetch(`/v1/streams/${encodeURIComponent(this.#stream.id)}`, { method: 'DELETE', headers: credentials(), keepalive: true });
  }

  // ---- pictures ----

  async #push(stream) {
    const { signal } = this.#stopper;
    const path = `/v1/streams/${encodeURIComponent(stream.id)}/frames?wait=true`;
    await this.#camera.send(async (picture) => {
      const taken = performance.now();
      let answer;
      try {
        answer = await (await open(path, { method: 'POST', body: picture, headers: { 'Content-Type': 'image/jpeg' }, signal })).json();
      } catch (error) {
        if (!(error instanceof Problem) || !passing.includes(error.status)) throw error;
        // One frame is lost; the camera goes on.
        byId('live-status').textContent = sentence(error);
        await new Promise((resolve) => { setTimeout(resolve, (error.retryAfter ?? 1) * 1000); });
        return;
      }
      if (signal.aborted) return;
      const age = performance.now() - taken;
      this.#lastAge = age;
      this.#shown = { age, at: performance.now() };
      this.#arrived(answer.result ?? answer);
    }, signal).catch((error) => {
      if (signal.aborted) return;
      notify(error);
      this.#stop();
    });
  }

  // ---- what arrives ----

  #arrived(frame) {
    if (frame.status === 'dropped' || frame.status === 'error') return;
    // Camera frames come as answers and as events; the second one is known already.
    if (this.#latest && frame.sequence <= this.#latest.sequence && (frame.epoch ?? 0) === (this.#latest.epoch ?? 0)) return;
    this.#latest = frame;
    this.#arrivals.push(performance.now());
    if (!this.#camera && frame.age_ms !== undefined) this.#lastAge = frame.age_ms;
    this.stage.setSize(frame.width, frame.height);
    this.#history.push(frame);
    if (this.#history.length > trailLength) this.#history.shift();
    this.stage.update({ detections: this.#camera ? frame.detections ?? [] : [], trails: this.#trails(frame) });
    this.stage.describe(`Frame ${frame.sequence}: ${(frame.detections ?? []).length} things`);
  }

  #trails(frame) {
    const trails = new Map();
    for (const { detections = [], epoch } of this.#history) {
      if (epoch !== frame.epoch) continue;
      for (const { track_id: id, box } of detections) {
        if (id === undefined) continue;
        if (!trails.has(id)) trails.set(id, []);
        trails.get(id).push([box.x + box.width / 2, box.y + box.height / 2]);
      }
    }
    const present = new Set((frame.detections ?? []).map(({ track_id: id }) => id));
    return [...trails].filter(([id, points]) => present.has(id) && points.length > 1).map(([track, points]) => ({ track, points }));
  }

  #happened(event) {
    this.#counts.add(event);
    this.editor.tell(this.#counts.facts);
    if (event.type === 'count') return;
    const list = byId('live-events');
    list.prepend(element('li', {}, element('span', { class: 'numbers' }, new Date().toLocaleTimeString()), element('span', {}, sentenceOf(event))));
    while (list.children.length > eventsShown) list.lastElementChild.remove();
  }

  #changed({ state, cause, dropped }) {
    this.#dropped = dropped ?? this.#dropped;
    // The list says the same at the same time.
    if (this.#isShown) this.#list();
    if (state === 'failed' || state === 'ended') return this.#ended(stateWords(state, cause));
    byId('live-status').textContent = stateWords(state, cause);
    // The last picture stays on the stage; that it is an old one has to be said there.
    if (state === 'stalled' || (state === 'connecting' && cause)) this.#note(stateWords(state, cause));
    else if (state === 'live') this.#note(null);
  }

  /** On the picture. */
  #note(text) { this.stage.say(text); }

  #tiles() {
    if (!this.#isShown) return;
    const now = performance.now();
    this.#arrivals = this.#arrivals.filter((time) => now - time < rateWindow);
    const perSecond = this.#arrivals.length / rateWindow * 1000;
    const total = this.#latest?.timing_ms?.total;
    byId('live-tiles').replaceChildren(
      this.#ageTile(now),
      tile('From camera to boxes', this.#lastAge === undefined ? '–' : milliseconds(this.#lastAge)),
      tile('Of it in the mesh', milliseconds(total)),
      tile('Frames a second', rate(perSecond)),
      tile('Dropped', number(this.#dropped)),
      tile('Things in view', String(this.#latest?.detections?.length ?? 0)));
  }

  /** An old picture stands out: it looks like a new one. */
  #ageTile(now) {
    const age = this.#shown && this.#shown.age + (now - this.#shown.at);
    const made = tile('Age of the frame shown', age === null ? '–' : milliseconds(age));
    made.classList.toggle('warn', age !== null && age > oldAge);
    return made;
  }

  async #saveAreas(areas) {
    if (!this.#stream) return;
    try {
      await sendJSON('PUT', `/v1/streams/${encodeURIComponent(this.#stream.id)}/areas`, areas);
      this.#counts = new AreaCounts({ since });
      this.editor.tell(this.#counts.facts);
    } catch (error) {
      notify(error);
    }
  }

  async #list() {
    this.#listTurn += 1;
    const turn = this.#listTurn;
    try {
      const streams = (await getJSON('/v1/streams')).streams ?? [];
      // It was asked for again meanwhile: this is older.
      if (turn !== this.#listTurn) return;
      const host = byId('live-list');
      const told = JSON.stringify([streams.map(({ id, state, cause }) => [id, state, cause]), this.#stream?.id]);
      if (host.dataset.told === told) return;
      host.dataset.told = told;
      const focused = host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
      host.replaceChildren(streams.length === 0 ? element('p', { class: 'empty' }, 'No streams yet. Start one above.') : table('Streams', [
        { title: 'Name', class: 'text' }, { title: 'State' }, { title: 'Why', class: 'text' }, { title: 'Pipeline' }, { title: '' },
      ], streams.map((stream) => this.#row(stream)), { stacks: true }));
      if (focused) [...host.querySelectorAll('button')].find((button) => button.dataset.key === focused)?.focus();
    } catch (error) {
      notify(error);
    }
  }

  #row(stream) {
    const name = nameOf(stream);
    const button = (text, act, style = '') => {
      const made = element('button', { type: 'button', class: `small ${style}`, 'aria-label': `${text} ${name}`, on: { click: act } }, text);
      made.dataset.key = `${text} ${stream.id}`;
      return made;
    };
    const isOver = stream.state === 'failed' || stream.state === 'ended';
    return [
      name, pill(stream.state, kinds[stream.state] ?? ''), stream.cause ?? '', stream.pipeline,
      stream.id === this.#stream?.id ? 'shown above' : element('span', { class: 'confidence' },
        !isOver && button('Watch', () => this.#see(stream)), button(isOver ? 'Remove' : 'End', () => this.#remove(stream), 'danger')),
    ];
  }

  async #see(stream) {
    await this.#stop();
    this.#watch(stream);
    await this.#list();
  }

  async #remove(stream) {
    await remove(`/v1/streams/${encodeURIComponent(stream.id)}`).catch(notify);
    await this.#list();
  }
}
