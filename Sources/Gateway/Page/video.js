// Videos: uploaded, followed while they run, played back with what was found, with zones, lines and their events.
import { token } from './access.js';
import { AreaCounts } from './areaevents.js';
import { AreaEditor } from './areas.js';
import { getBlob, getJSON, query, sendJSON, upload } from './api.js';
import { confidence, fillPipelines, stateOf, takeFiles } from './controls.js';
import { byId, element } from './elements.js';
import { follow } from './eventstream.js';
import { bytes, clock, count } from './format.js';
import { Findings } from './findings.js';
import { FrameTimes } from './frametimes.js';
import { clearNotices, notify } from './notices.js';
import { aspectOf, watchTime } from './playedvideo.js';
import { Problem } from './problems.js';
import { Stage } from './stage.js';
import { Timeline } from './timeline.js';
import { VideoList, isOver } from './videolist.js';
import { offerDownloads, progressText, showEvents, showTracks, whyNoPicture } from './videoparts.js';

/** Milliseconds between two drawings of lists that change with each frame. */
const listPause = 250;

export class VideoView {
  #job = null;
  #following = null;
  /** There is more to come. */
  #isFollowing = false;
  #paintTimer = null;
  #findings = new Findings();
  #times = new FrameTimes();
  #at = 0;
  #medium = null;
  /** Of the medium's blob; it is in memory until this is revoked. */
  #mediumURL = null;
  /** Files of this session by job, so that their own picture can be shown. */
  #files = new Map();
  #kind = 'none';

  constructor() {
    this.leastConfidence = confidence('video-confidence');
    takeFiles(byId('video-drop'), byId('video-files'), (files) => this.#upload(files[0]));
    this.stage = new Stage(byId('video-stage'), 'The video');
    this.timeline = new Timeline(byId('video-timeline'), (frame) => this.#seek(frame));
    this.editor = new AreaEditor({
      stage: this.stage, tools: byId('video-tools'), help: byId('video-tools-help'), list: byId('video-areas'),
      quietLine: '0 forward, 0 backward',
      onChange: (areas) => this.#saveAreas(areas),
    });
    this.list = new VideoList({
      show: (job) => this.#open(job).catch(notify),
      removed: (job) => this.#removed(job),
      jobs: (jobs) => {
        const current = jobs.find((job) => job.id === this.#job?.id);
        if (current) this.#update(current);
      },
      chosen: () => this.#job?.id,
    });
    byId('video-play').addEventListener('click', () => this.#play());
    byId('video-seek').addEventListener('input', (event) => this.#seek(Number(event.target.value)));
    byId('video-follow').addEventListener('change', () => this.#showNewest());
  }

  enter() {
    fillPipelines('video-pipeline', () => true, ['cascade+track', 'track', 'detect']);
    this.list.enter();
    if (this.#job && this.#isFollowing) this.#follow(this.#job.id);
  }

  leave() {
    this.list.leave();
    this.#following?.abort();
    this.#medium?.pause?.();
  }

  // ---- upload ----

  async #upload(file) {
    clearNotices();
    const stop = new AbortController();
    const row = byId('video-upload');
    const progress = byId('video-upload-progress');
    row.hidden = false;
    byId('video-upload-cancel').onclick = () => stop.abort();
    byId('panel-video').classList.add('compact');
    const path = `/v1/videos${query({
      pipeline: byId('video-pipeline').value, min_confidence: this.leastConfidence(), name: file.name,
      annotate: byId('video-annotate').checked,
    })}`;
    try {
      const job = await upload(path, file, {
        signal: stop.signal,
        onProgress: (sent, total) => {
          progress.value = sent / total;
          byId('video-upload-text').textContent = `${file.name}: ${bytes(sent)} of ${bytes(total)}`;
        },
      });
      this.#files.set(job.id, file);
      await this.#open(job);
      await this.list.refresh();
    } catch (error) {
      notify(error, { of: file.name });
    } finally {
      row.hidden = true;
    }
  }

  // ---- one job ----

  #removed(job) {
    this.#files.delete(job.id);
    if (this.#job?.id !== job.id) return;
    this.#following?.abort();
    this.#isFollowing = false;
    this.#job = null;
    this.#dropMedium();
    byId('video-result').hidden = true;
  }

  async #open(job) {
    this.#job = job;
    this.#findings = new Findings();
    this.#times = new FrameTimes();
    this.#at = 0;
    byId('video-result').hidden = false;
    byId('video-name').textContent = job.name || 'video';
    // One that is over is looked at from its beginning.
    byId('video-follow').checked = !isOver(job.state);
    this.editor.set(job.areas);
    this.stage.draw({});
    this.#update(job);
    await this.#chooseMedium();
    const areas = (await this.#savedAreas(job)) ?? job.areas;
    // Another one was opened meanwhile.
    if (this.#job?.id !== job.id) return;
    this.editor.set(areas, this.stage);
    this.#follow(job.id);
  }

  async #savedAreas(job) {
    try {
      return await getJSON(`/v1/videos/${encodeURIComponent(job.id)}/areas`);
    } catch {
      return null;
    }
  }

  #update(job) {
    const before = this.#job;
    this.#job = { ...before, waiting_for: undefined, phase: undefined, ...job };
    const { state, progress = {}, video, error } = this.#job;
    const [word, kind] = stateOf(state);
    byId('video-state').textContent = word;
    byId('video-state').className = `pill ${kind}`;
    if (video) this.stage.setSize(video.width, video.height);
    if (video?.frame_rate) this.#times.rate = video.frame_rate;
    const { frames_done: done = 0, frames_total: total, fraction } = progress;
    const bar = byId('video-progress');
    const share = state === 'done' ? 1 : fraction ?? (total ? done / total : undefined);
    if (share === undefined) bar.removeAttribute('value'); else bar.value = share;
    byId('video-progress-text').textContent = progressText(this.#job, share);
    byId('video-status').textContent = error ? `The video could not be done: ${error}.` : '';
    byId('video-status').classList.toggle('bad', Boolean(error));
    this.list.tell(this.#job);
    if (isOver(state) && !isOver(before?.state ?? 'queued') && before?.id === job.id) this.#finished();
    offerDownloads(byId('video-downloads'), this.#job);
    this.#paintPlayer();
  }

  async #finished() {
    byId('video-follow').checked = false;
    if (this.#kind === 'none') await this.#chooseMedium();
  }

  // ---- the picture below the boxes ----

  async #chooseMedium() {
    const job = this.#job;
    this.#dropMedium();
    const file = this.#files.get(job.id);
    if (file && await this.#load(URL.createObjectURL(file), 'own', job)) return;
    if (job.state === 'done') {
      try {
        const path = `/v1/videos/${encodeURIComponent(job.id)}/annotated`;
        // A player reads as much as it needs, but cannot carry a token.
        if (await this.#load(token() ? URL.createObjectURL(await getBlob(path)) : path, 'annotated', job)) return;
      } catch (error) {
        // A job without an annotated video is shown as boxes alone.
        if (!(error instanceof Problem) || ![404, 409].includes(error.status)) notify(error);
      }
    }
    if (job !== this.#job && job.id !== this.#job?.id) return;
    this.stage.say(`Boxes alone: ${file ? 'this browser cannot play the file' : whyNoPicture(this.#job)}.`);
  }

  #dropMedium() {
    this.#kind = 'none';
    this.stage.show(null);
    this.stage.setAspect(1);
    if (!this.#medium) return;
    this.#medium.removeAttribute('src');
    this.#medium.load();
    this.#medium = null;
    URL.revokeObjectURL(this.#mediumURL);
    this.#mediumURL = null;
  }

  /** Whether the browser can play it. */
  #load(url, kind, job) {
    return new Promise((resolve) => {
      const video = element('video', { muted: true, playsinline: true, preload: 'auto' });
      video.muted = true;
      video.addEventListener('loadeddata', () => {
        if (job.id !== this.#job?.id) { URL.revokeObjectURL(url); return resolve(true); }
        this.#dropMedium();
        this.#medium = video;
        this.#mediumURL = url;
        this.#kind = kind;
        this.stage.say(null);
        this.stage.show(video);
        this.#shape();
        this.#showNewest();
        resolve(true);
      }, { once: true });
      video.addEventListener('error', () => { URL.revokeObjectURL(url); resolve(false); }, { once: true });
      for (const type of ['play', 'pause', 'ended']) video.addEventListener(type, () => this.#paintPlayer());
      // A stream's own word on its pixels may come after its container's.
      video.addEventListener('resize', () => { if (video === this.#medium) this.#shape(); });
      // The overlay belongs to the frame that is on the screen.
      watchTime(video, (time) => { this.#at = this.#frameAt(time); this.#paintFrame(); });
      video.src = url;
    });
  }

  #shape() { this.stage.setAspect(aspectOf(this.#medium, this.#job?.video)); }

  get #length() { return Math.max(1, this.#job?.progress?.frames_total ?? 0, this.#findings.length); }

  /** Where the medium begins in the file: the annotated video begins with the first frame. */
  get #beginning() { return this.#kind === 'annotated' ? this.#times.of(0) : 0; }

  /** Of a video that is over the last frame stays to the end. */
  #frameAt(seconds) {
    const frame = this.#times.at(seconds + this.#beginning);
    return isOver(this.#job?.state) ? Math.min(frame, this.#length - 1) : frame;
  }

  #seek(frame) {
    byId('video-follow').checked = false;
    this.#goTo(frame);
  }

  #goTo(frame) {
    this.#at = frame;
    if (this.#medium) this.#medium.currentTime = this.#times.within(frame) - this.#beginning;
    else this.#paintFrame();
  }

  #play() {
    const video = this.#medium;
    if (!video) return;
    byId('video-follow').checked = false;
    if (video.paused) video.play().catch(notify); else video.pause();
  }

  /** While the job runs: the newest frame that has an answer. */
  #showNewest() {
    if (!byId('video-follow').checked || this.#findings.newest === null) return this.#paintFrame();
    if (this.#medium && !this.#medium.paused) this.#medium.pause();
    if (this.#medium?.seeking) return;
    this.#goTo(this.#findings.newest);
  }

  // ---- what arrives ----

  #follow(id, { fromStart = false } = {}) {
    this.#following?.abort();
    const stop = new AbortController();
    this.#following = stop;
    this.#isFollowing = true;
    const isCurrent = () => this.#job?.id === id && !stop.signal.aborted;
    follow(`/v1/videos/${encodeURIComponent(id)}/events`, {
      progress: (value) => isCurrent() && this.#update({ ...this.#job, ...(value.progress ? value : { progress: value }) }),
      frame: (frame) => {
        if (!isCurrent()) return;
        this.#findings.add(frame);
        this.#times.add(frame.sequence, frame.time_ms);
        this.stage.setSize(frame.width, frame.height);
        this.#showNewest();
        this.#paintListsSoon();
      },
      area: (event) => {
        if (!isCurrent()) return;
        this.#findings.addEvent(event);
        this.#paintListsSoon();
      },
      areas: () => isCurrent() && this.#areasChanged(),
      end: () => {
        if (!isCurrent()) return;
        this.#isFollowing = false;
        this.#refresh(id);
      },
    }, {
      signal: stop.signal,
      lastID: fromStart || this.#findings.newest === null ? '' : String(this.#findings.newest),
      onBreak: () => isCurrent() && this.#refresh(id),
    }).catch((error) => {
      if (!isCurrent()) return;
      this.#isFollowing = false;
      notify(error);
    });
  }

  async #refresh(id) {
    try {
      const job = await getJSON(`/v1/videos/${encodeURIComponent(id)}`);
      if (this.#job?.id === id) this.#update(job);
      await this.list.refresh();
    } catch (error) {
      notify(error);
    }
  }

  async #saveAreas(areas) {
    if (!this.#job) return;
    const { id } = this.#job;
    try {
      await sendJSON('PUT', `/v1/videos/${encodeURIComponent(id)}/areas`, areas);
      if (this.#job?.id !== id) return;
      // Who follows a job that runs is told anew by an event `areas`; one that is over has to be read again.
      if (this.#isFollowing) return;
      this.#areasChanged();
      this.#follow(id, { fromStart: true });
    } catch (error) {
      notify(error);
    }
  }

  /** Events of the areas as they were are no longer true. */
  #areasChanged() {
    this.#findings.clearEvents();
    this.editor.tell(new Map());
    this.#paintLists();
  }

  // ---- showing ----

  #paintFrame() {
    const findings = this.#findings;
    const frame = findings.frame(this.#at);
    const hasBoxes = this.#kind === 'annotated';
    this.stage.update({
      detections: hasBoxes ? [] : frame?.detections ?? [],
      trails: findings.trails(this.#at),
    });
    this.stage.describe(frame ? `Frame ${this.#at}: ${count((frame.detections ?? []).length, 'thing')}` : `Frame ${this.#at}`);
    const counts = new AreaCounts();
    findings.events.filter((event) => event.sequence <= this.#at).forEach((event) => counts.add(event));
    this.editor.tell(counts.facts);
    this.timeline.show({ at: this.#at });
    this.#paintPlayer();
  }

  #paintPlayer() {
    const play = byId('video-play');
    play.disabled = !this.#medium;
    play.textContent = this.#medium && !this.#medium.paused ? 'Pause' : 'Play';
    const seek = byId('video-seek');
    seek.max = String(this.#length - 1);
    seek.value = String(this.#at);
    const end = this.#job?.video?.duration ?? this.#times.of(this.#length);
    byId('video-time').textContent = `${clock(this.#times.of(this.#at))} / ${clock(end)}`;
    seek.setAttribute('aria-valuetext', `Frame ${this.#at} of ${this.#length}`);
  }

  #paintListsSoon() {
    this.#paintTimer ??= setTimeout(() => { this.#paintTimer = null; this.#paintLists(); }, listPause);
  }

  #paintLists() {
    const findings = this.#findings;
    this.timeline.show({ frames: this.#length, counts: findings.counts, events: findings.events });
    // What stands still may be another frame than was guessed before its time was known.
    if (this.#medium?.paused && !this.#medium.seeking) this.#at = this.#frameAt(this.#medium.currentTime);
    this.#paintFrame();
    showEvents(byId('video-events'), findings.events, (frame) => this.#seek(frame));
    showTracks(byId('video-tracks'), [...findings.tracks.values()], this.#times, (frame) => this.#seek(frame));
  }
}
