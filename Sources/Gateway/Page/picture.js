// Pictures: sent one by one as they are, shown with boxes, a table and where the time went.
import { query, upload } from './api.js';
import { colourOfDetection } from './colours.js';
import { confidence, fillPipelines, takeFiles } from './controls.js';
import { byId, element, table } from './elements.js';
import { bytes, count, number, percent } from './format.js';
import { clearNotices, notify } from './notices.js';
import { Problem, sentence } from './problems.js';
import { Stage } from './stage.js';
import { showTiming } from './timing.js';

/** Older ones leave, so that a long session stays small. */
const most = 50;

const meter = (value) => {
  const bar = element('i');
  bar.style.width = `${value * 100}%`;
  return element('span', { class: 'confidence' }, element('span', { class: 'meter', 'aria-hidden': 'true' }, bar), percent(value));
};

export class PictureView {
  #shown = null;
  #pictures = [];
  #queue = Promise.resolve();

  constructor() {
    this.stage = new Stage(byId('picture-stage'), 'The picture');
    this.leastConfidence = confidence('picture-confidence');
    takeFiles(byId('picture-drop'), byId('picture-files'), (files) => this.#take(files));
    const repeat = () => this.#shown && this.#send(this.#shown);
    byId('picture-pipeline').addEventListener('change', repeat);
    byId('picture-confidence').addEventListener('change', repeat);
  }

  enter() { fillPipelines('picture-pipeline', (pipeline) => !pipeline.needs_stream, ['cascade', 'detect+classify', 'detect']); }

  leave() {}

  #take(files) {
    clearNotices();
    const left = files.length - most;
    if (left > 0) {
      notify({
        title: `${count(left, 'picture was', 'pictures were')} left out`,
        message: `There is room for ${most} at once: the last ones of ${number(files.length)} are taken.`,
      });
    }
    const added = files.slice(-most).map((file) => ({ file, url: URL.createObjectURL(file), result: null, error: null }));
    this.#pictures.push(...added);
    this.#pictures.splice(0, Math.max(0, this.#pictures.length - most)).forEach(({ url }) => URL.revokeObjectURL(url));
    this.#choose(added[0]);
    byId('panel-picture').classList.add('compact');
    added.forEach((picture) => this.#send(picture));
  }

  #send(picture) {
    picture.result = null;
    picture.error = null;
    this.#status();
    this.#queue = this.#queue.then(() => this.#analyze(picture));
  }

  async #analyze(picture) {
    // It has left meanwhile.
    if (!this.#pictures.includes(picture)) return;
    const path = `/v1/images:analyze${query({
      pipeline: byId('picture-pipeline').value, min_confidence: this.leastConfidence(), format: 'json',
    })}`;
    const started = performance.now();
    try {
      const answer = await upload(path, picture.file);
      picture.roundTrip = performance.now() - started;
      const result = answer.results?.[0];
      if (!result) throw new Error('The answer holds no result.');
      if (result.error) throw new Problem({ status: 422, ...result.error });
      picture.result = result;
    } catch (error) {
      picture.error = error;
      notify(error, { of: `${picture.file.name} (${bytes(picture.file.size)})` });
    }
    if (picture === this.#shown) this.#show(picture);
    this.#status();
    this.#strip();
  }

  #choose(picture) {
    this.#shown = picture;
    this.#show(picture);
    this.#strip();
  }

  #status() {
    const waiting = this.#pictures.filter(({ result, error }) => !result && !error).length;
    const shown = this.#shown;
    byId('picture-status').textContent = waiting > 0 ? `Looking at ${count(waiting, 'picture')} …`
      : shown?.error ? sentence(shown.error) : shown?.result ? summary(shown.result) : '';
  }

  #strip() {
    const strip = byId('picture-strip');
    if (this.#pictures.length < 2) return strip.replaceChildren();
    strip.replaceChildren(...this.#pictures.map((picture) => element('button', {
      type: 'button', 'aria-pressed': String(picture === this.#shown), title: picture.file.name,
      'aria-label': picture.error ? `${picture.file.name}, failed` : picture.file.name,
      on: { click: () => { this.#choose(picture); this.#status(); } },
    }, element('img', { src: picture.url, alt: '', on: { error: (event) => event.target.classList.add('broken') } }), 
      element('span', {}, picture.file.name), picture.error && element('span', { class: 'failed' }, 'failed'))));
  }

  #show(picture) {
    byId('picture-result').hidden = false;
    byId('picture-name').textContent = `${picture.file.name} (${bytes(picture.file.size)})`;
    const image = element('img', { alt: '' });
    image.addEventListener('load', () => {
      if (picture !== this.#shown) return;
      this.stage.setSize(image.naturalWidth, image.naturalHeight);
    });
    image.src = picture.url;
    this.stage.show(image);
    const detections = picture.result?.detections ?? [];
    this.stage.draw({ detections });
    this.stage.describe(picture.result ? `${picture.file.name}: ${summary(picture.result)}` : picture.file.name);
    if (picture.result) this.stage.setSize(picture.result.width, picture.result.height);
    this.#table(picture);
    showTiming(byId('picture-timing'), picture.result?.timing_ms ?? {}, picture.result ? picture.roundTrip : undefined);
  }

  #table({ result, error }) {
    const host = byId('picture-table');
    const found = result?.detections?.length;
    byId('picture-found').textContent = found > 0 ? `What was found: ${count(found, 'thing')}` : 'What was found';
    if (!result) return host.replaceChildren(element('p', { class: 'empty' }, error ? 'Nothing: it failed.' : 'Looking …'));
    const { detections, classes } = result;
    const parts = [];
    if (result.cause) parts.push(element('p', { class: 'hint' }, result.cause));
    if (detections) {
      const hasClasses = detections.some((detection) => detection.classes?.length > 0);
      const highlight = (chosen) => this.stage.update({ chosen });
      parts.push(detections.length === 0 ? element('p', { class: 'empty' }, 'No things were found.') : table('Things', [
        { title: 'Thing', class: 'text' }, { title: 'Confidence' }, ...(hasClasses ? [{ title: 'Looks like', class: 'text' }] : []),
        { title: 'Place', number: true },
      ], detections.map((detection) => {
        const swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
        swatch.style.background = colourOfDetection(detection);
        const named = detection.classes?.[0];
        const { x, y, width, height } = detection.box;
        return [
          element('span', {}, swatch, detection.label), meter(detection.confidence),
          ...(hasClasses ? [named ? `${named.label} (${percent(named.confidence)})` : ''] : []),
          `${Math.round(x)}, ${Math.round(y)} · ${Math.round(width)}×${Math.round(height)}`,
        ];
      }), {
        stacks: true,
        onRow: (row, index) => {
          row.tabIndex = 0;
          row.addEventListener('pointerenter', () => highlight(index));
          row.addEventListener('pointerleave', () => highlight(null));
          row.addEventListener('focus', () => highlight(index));
          row.addEventListener('blur', () => highlight(null));
        },
      }));
    }
    if (classes) {
      parts.push(table('Classes of the whole picture', [{ title: 'The whole picture', class: 'text' }, { title: 'Confidence' }],
        classes.map((each) => [each.label, meter(each.confidence)])));
    }
    host.replaceChildren(...parts);
  }
}

function summary({ detections, classes, partial, status }) {
  const found = new Map();
  (detections ?? []).forEach(({ label }) => found.set(label, (found.get(label) ?? 0) + 1));
  const things = [...found].map(([label, times]) => (times > 1 ? `${times} × ${label}` : label)).join(', ');
  const whole = classes?.[0] ? `The whole looks like ${classes[0].label} (${percent(classes[0].confidence)}).` : '';
  const lacks = partial || status === 'partial' ? 'A part of the mesh gave no answer.' : '';
  return [detections && (things ? `Found ${things}.` : 'No things were found.'), whole, lacks].filter(Boolean).join(' ');
}
