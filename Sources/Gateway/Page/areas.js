// Zones and lines: drawn on a stage with pointer or keyboard, named and removed in a list beside it.
import { element } from './elements.js';
import { clamp } from './stage.js';

const near = 10;
const step = 5;
const bigStep = 40;
const saveDelay = 500;

const help = {
  zone: 'Click the corners of the zone; a double click, Enter or the first corner closes it. Keyboard: arrows move, Space sets a corner, Backspace takes it back, Escape leaves.',
  line: 'Click where the line begins and where it ends. Keyboard: arrows move, Space sets a point, Escape leaves.',
  edit: 'Drag a corner to move it.',
};

const copyOf = (areas) => ({
  zones: (areas?.zones ?? []).map((zone) => ({ ...zone })), lines: (areas?.lines ?? []).map((line) => ({ ...line })),
});

export class AreaEditor {
  #mode = null;
  #points = [];
  #cursor = null;
  #dragged = null;
  #timer = null;
  #facts = new Map();

  /** @param onChange gets the areas as the API takes them, some time after the last change. */
  constructor({ stage, tools, help: helpText, list, onChange }) {
    this.stage = stage;
    this.list = list;
    this.helpText = helpText;
    this.onChange = onChange;
    this.areas = { zones: [], lines: [] };
    this.buttons = {};
    for (const [mode, text] of [['zone', 'Draw a zone'], ['line', 'Draw a line'], ['edit', 'Move corners']]) {
      this.buttons[mode] = element('button', {
        type: 'button', 'aria-pressed': 'false', on: { click: () => this.#enter(this.#mode === mode ? null : mode) },
      }, text);
    }
    tools.replaceChildren(...Object.values(this.buttons));
    const { canvas } = stage;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', () => this.#up());
    canvas.addEventListener('pointercancel', () => this.#up());
    canvas.addEventListener('dblclick', () => this.#finish());
    canvas.addEventListener('keydown', (event) => this.#key(event));
    this.#render();
  }

  /** Takes over areas that the gateway has; nothing is sent. */
  set(areas, frame) {
    const scale = areas?.normalized && frame ? [frame.width, frame.height] : [1, 1];
    const place = ([x, y]) => [x * scale[0], y * scale[1]];
    this.areas = copyOf(areas);
    this.areas.zones.forEach((zone) => { zone.points = zone.points.map(place); });
    this.areas.lines.forEach((line) => { line.from = place(line.from); line.to = place(line.to); });
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#facts.clear();
    this.#enter(null);
    this.#render();
  }

  get isEmpty() { return this.areas.zones.length + this.areas.lines.length === 0; }

  /** What is told of an area beside its name, `text` in the list and `note` on the stage. */
  tell(facts) {
    this.#facts = facts;
    for (const row of this.list.querySelectorAll('.area')) {
      row.querySelector('.facts').textContent = facts.get(row.dataset.name)?.text ?? '';
    }
    this.#draw();
  }

  #changed() {
    this.#draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { this.#timer = null; this.onChange(copyOf(this.areas)); }, saveDelay);
  }

  #enter(mode) {
    this.#mode = mode;
    this.#points = [];
    this.#cursor = null;
    this.#dragged = null;
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute('aria-pressed', String(name === mode));
    this.helpText.textContent = help[mode] ?? '';
    const { canvas } = this.stage;
    canvas.classList.toggle('drawing', mode !== null);
    canvas.setAttribute('role', mode ? 'application' : 'img');
    if (mode) {
      canvas.tabIndex = 0;
      canvas.focus({ preventScroll: true });
    } else {
      canvas.removeAttribute('tabindex');
    }
    this.#draw();
  }

  #down(event) {
    if (!this.#mode || event.button !== 0) return;
    event.preventDefault();
    this.stage.canvas.focus({ preventScroll: true });
    const point = this.stage.pointOf(event);
    if (this.#mode === 'edit') {
      this.#dragged = this.#cornerAt(point);
      if (this.#dragged) this.stage.canvas.setPointerCapture(event.pointerId);
    } else {
      this.#add(point);
    }
  }

  #move(event) {
    const point = this.stage.pointOf(event);
    if (this.#dragged) {
      this.#dragged(point);
      this.#draw();
    } else if (this.#mode === 'zone' || this.#mode === 'line') {
      this.#cursor = point;
      this.#draw();
    }
  }

  #up() {
    if (!this.#dragged) return;
    this.#dragged = null;
    this.#changed();
  }

  #key(event) {
    if (this.#mode !== 'zone' && this.#mode !== 'line') {
      if (event.key === 'Escape') this.#enter(null);
      return;
    }
    const size = event.shiftKey ? bigStep : step;
    const moves = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, -size], ArrowDown: [0, size] };
    const { width, height } = this.stage;
    const cursor = this.#cursor ?? [width / 2, height / 2];
    if (moves[event.key]) {
      const [dx, dy] = moves[event.key];
      this.#cursor = [clamp(cursor[0] + dx, 0, width), clamp(cursor[1] + dy, 0, height)];
      this.#draw();
    } else if (event.key === ' ') {
      this.#add(cursor);
    } else if (event.key === 'Enter') {
      this.#finish();
    } else if (event.key === 'Backspace') {
      this.#points.pop();
      this.#draw();
    } else if (event.key === 'Escape') {
      this.#enter(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  #isNear([ax, ay], [bx, by]) { return Math.hypot(ax - bx, ay - by) * this.stage.scale < near; }

  #add(point) {
    const last = this.#points.at(-1);
    if (this.#points.length >= 3 && this.#mode === 'zone' && this.#isNear(point, this.#points[0])) return this.#finish();
    // The second click of a double click is no corner.
    if (last && this.#isNear(point, last)) return;
    this.#points.push(point);
    this.#cursor = point;
    if (this.#mode === 'line' && this.#points.length === 2) return this.#finish();
    this.#draw();
  }

  #finish() {
    const points = this.#points;
    if (this.#mode === 'zone' && points.length >= 3) {
      this.areas.zones.push({ name: this.#freeName('zone'), points });
    } else if (this.#mode === 'line' && points.length === 2) {
      this.areas.lines.push({ name: this.#freeName('line'), from: points[0], to: points[1] });
    } else {
      return;
    }
    this.#enter(null);
    this.#render();
    this.#changed();
  }

  get #all() { return [...this.areas.zones, ...this.areas.lines]; }

  #freeName(kind) {
    const names = new Set(this.#all.map((area) => area.name));
    for (let number = 1; ; number += 1) if (!names.has(`${kind}-${number}`)) return `${kind}-${number}`;
  }

  #cornerAt(point) {
    const corners = [
      ...this.areas.zones.flatMap((zone) => zone.points.map((corner, index) => [corner, (moved) => {
        zone.points = zone.points.with(index, moved);
      }])),
      ...this.areas.lines.flatMap((line) => [
        [line.from, (moved) => { line.from = moved; }], [line.to, (moved) => { line.to = moved; }]]),
    ];
    return corners.find(([corner]) => this.#isNear(corner, point))?.[1] ?? null;
  }

  #draw() {
    this.stage.update({
      areas: this.areas, isEdited: this.#mode === 'edit',
      notes: new Map([...this.#facts].map(([name, { note }]) => [name, note])),
      draft: this.#points.length > 0 || this.#cursor ? { points: this.#points, cursor: this.#cursor } : null,
    });
  }

  #render() {
    if (this.isEmpty) {
      this.list.replaceChildren(element('p', { class: 'empty' }, 'None yet. Draw one on the picture.'));
      return;
    }
    this.list.replaceChildren(...this.#all.map((area) => this.#row(area)));
    this.tell(this.#facts);
  }

  #row(area) {
    const isZone = 'points' in area;
    const row = element('div', { class: 'area' });
    row.dataset.name = area.name;
    const setName = (event) => {
      const name = event.target.value.trim();
      if (name === '' || this.#all.some((other) => other !== area && other.name === name)) {
        event.target.value = area.name;
        return;
      }
      area.name = name;
      row.dataset.name = name;
      this.#changed();
    };
    const setLabels = (event) => {
      const labels = event.target.value.split(',').map((text) => text.trim()).filter(Boolean);
      if (labels.length > 0) area.labels = labels; else delete area.labels;
      this.#changed();
    };
    const setDwell = (event) => {
      const seconds = Number(event.target.value);
      if (seconds > 0) area.dwell_seconds = seconds; else delete area.dwell_seconds;
      this.#changed();
    };
    row.append(
      element('input', { type: 'text', value: area.name, 'aria-label': `Name of ${area.name}`, maxlength: 64, on: { change: setName } }),
      element('button', { type: 'button', class: 'danger', 'aria-label': `Remove ${area.name}`, on: { click: () => this.#remove(area) } }, 'Remove'),
      element('div', { class: 'more' },
        element('label', { class: 'field' }, 'Only labels',
          element('input', { type: 'text', value: (area.labels ?? []).join(', '), placeholder: 'all', on: { change: setLabels } })),
        isZone && element('label', { class: 'field' }, 'Tell after seconds inside',
          element('input', { type: 'number', min: 0, step: 0.5, value: String(area.dwell_seconds ?? ''), placeholder: 'never', on: { change: setDwell } }))),
      element('span', { class: 'facts' }));
    return row;
  }

  #remove(area) {
    this.areas.zones = this.areas.zones.filter((other) => other !== area);
    this.areas.lines = this.areas.lines.filter((other) => other !== area);
    this.#render();
    this.#changed();
  }
}

/** What happened, as a sentence. */
export function sentenceOf(event) {
  const who = `${event.label || 'something'}${event.track_id === undefined ? '' : ` #${event.track_id}`}`;
  const stay = event.seconds === undefined ? '' : ` after ${event.seconds.toFixed(1)} s`;
  switch (event.type) {
    case 'enter': return `${who} enters ${event.area}`;
    case 'leave': return `${who} leaves ${event.area}${stay}`;
    case 'cross': return `${who} crosses ${event.area} ${event.direction ?? ''}`.trim();
    case 'dwell': return `${who} is in ${event.area} for ${(event.seconds ?? 0).toFixed(1)} s`;
    case 'count': return `${event.area} holds ${event.count}`;
    default: return `${who}: ${event.type} ${event.area}`;
  }
}

/** Counts per area from events in order: `Map` of name to `{text, note}`. */
export class AreaCounts {
  #areas = new Map();

  add(event) {
    const counts = this.#areas.get(event.area) ?? { inside: null, entered: 0, left: 0, forward: 0, backward: 0, isLine: false };
    this.#areas.set(event.area, counts);
    if (event.type === 'enter') { counts.entered += 1; counts.inside = (counts.inside ?? 0) + 1; }
    if (event.type === 'leave') { counts.left += 1; counts.inside = Math.max(0, (counts.inside ?? 0) - 1); }
    if (event.type === 'count') counts.inside = event.count;
    // The gateway has counted since before this page looked.
    if (event.type === 'cross') { counts.isLine = true; counts[event.direction === 'backward' ? 'backward' : 'forward'] = event.count; }
  }

  get facts() {
    return new Map([...this.#areas].map(([name, counts]) => [name, counts.isLine
      ? { text: `${counts.forward} forward, ${counts.backward} backward`, note: `${counts.forward} ↔ ${counts.backward}` }
      : { text: `${counts.inside ?? 0} inside, ${counts.entered} entered, ${counts.left} left`, note: String(counts.inside ?? 0) }]));
  }
}
