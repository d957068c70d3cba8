// Zones and lines: drawn on a stage with pointer or keyboard, named and removed in a list beside it.
import { cornersOf, placeWords } from './corners.js';
import { element } from './elements.js';
import { clamp, count } from './format.js';

/** CSS pixels from a point that are still that point; a finger hides what it points at. */
const near = 10;
const nearOfFinger = 22;
const step = 5;
const bigStep = 40;
const saveDelay = 500;

const help = {
  zone: 'Click the corners of the zone; a double click, Enter or the first corner closes it. Keyboard: arrows move, Space sets a corner, Backspace takes it back, Escape leaves.',
  line: 'Click where the line begins and where it ends. Keyboard: arrows move, Space sets a point, Escape leaves.',
  edit: 'Drag a corner to move it. Keyboard: Space goes to the next corner (with Shift: back), arrows move it (with Shift: further), Enter or Escape ends.',
};

const copyOf = (areas) => ({
  zones: (areas?.zones ?? []).map((zone) => ({ ...zone })), lines: (areas?.lines ?? []).map((line) => ({ ...line })),
});

export class AreaEditor {
  #mode = null;
  #points = [];
  #cursor = null;
  #dragged = null;
  /** Which corner the keyboard moves, by its number. */
  #chosen = 0;
  #timer = null;
  #near = near;
  #facts = new Map();

  /**
   * @param quietLine what is told of a line that nothing has crossed
   * @param onChange gets the areas as the API takes them, some time after the last change
   */
  constructor({ stage, tools, help: helpText, list, quietLine, onChange }) {
    this.stage = stage;
    this.list = list;
    this.helpText = helpText;
    this.quietLine = quietLine;
    this.onChange = onChange;
    this.areas = { zones: [], lines: [] };
    this.buttons = {};
    for (const [mode, text] of [['zone', 'Draw a zone'], ['line', 'Draw a line'], ['edit', 'Move corners']]) {
      this.buttons[mode] = element('button', {
        type: 'button', 'aria-pressed': 'false', on: { click: () => this.#enter(this.#mode === mode ? null : mode) },
      }, text);
    }
    // Where the keyboard is: said, not shown.
    this.said = element('span', { class: 'unseen', role: 'status' });
    tools.replaceChildren(...Object.values(this.buttons), this.said);
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
      row.querySelector('.facts').textContent = facts.get(row.dataset.name)?.text ?? (row.dataset.kind === 'line' ? this.quietLine : '');
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
    this.#chosen = 0;
    this.said.textContent = '';
    for (const [name, button] of Object.entries(this.buttons)) button.setAttribute('aria-pressed', String(name === mode));
    this.helpText.textContent = help[mode] ?? '';
    const { canvas } = this.stage;
    canvas.classList.toggle('drawing', mode !== null);
    canvas.setAttribute('role', mode ? 'application' : 'img');
    if (mode) {
      canvas.tabIndex = 0;
      canvas.focus({ preventScroll: true });
      if (mode === 'edit') this.#choose(0);
    } else {
      canvas.removeAttribute('tabindex');
    }
    this.#draw();
  }

  #down(event) {
    if (!this.#mode || event.button !== 0) return;
    this.#near = event.pointerType === 'touch' ? nearOfFinger : near;
    event.preventDefault();
    this.stage.canvas.focus({ preventScroll: true });
    const point = this.stage.pointOf(event);
    if (this.#mode === 'edit') {
      this.#dragged = this.#cornerAt(point);
      this.#draw();
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
    if (!this.#mode) return;
    const size = event.shiftKey ? bigStep : step;
    const move = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, -size], ArrowDown: [0, size] }[event.key];
    if (event.key === 'Escape') this.#leave();
    else if (move) this.#moveBy(move);
    else if (!(this.#mode === 'edit' ? this.#editKey(event) : this.#drawKey(event))) return;
    event.preventDefault();
  }

  /** The keyboard goes back to where it came from. */
  #leave() {
    const button = this.buttons[this.#mode];
    this.#enter(null);
    button.focus({ preventScroll: true });
  }

  #moveBy([dx, dy]) {
    const { width, height } = this.stage;
    const moved = ([x, y]) => [clamp(x + dx, 0, width), clamp(y + dy, 0, height)];
    if (this.#mode === 'edit') {
      const corner = this.#corner;
      if (!corner) return;
      corner.move(moved(corner.point));
      this.#say(placeWords(this.#corner.point));
      this.#changed();
    } else {
      this.#cursor = moved(this.#cursor ?? [width / 2, height / 2]);
      this.#say(placeWords(this.#cursor));
      this.#draw();
    }
  }

  #drawKey({ key }) {
    if (key === ' ') {
      const point = this.#cursor ?? [this.stage.width / 2, this.stage.height / 2];
      this.#near = near;
      this.#say(`Point ${this.#points.length + 1} at ${placeWords(point)}`);
      this.#add(point, true);
    } else if (key === 'Enter') {
      this.#finish(true);
    } else if (key === 'Backspace') {
      this.#points.pop();
      this.#say(`${this.#points.length} points`);
      this.#draw();
    } else {
      return false;
    }
    return true;
  }

  #editKey({ key, shiftKey }) {
    if (key === 'Enter') {
      this.#leave();
    } else if (key === ' ') {
      const all = cornersOf(this.areas).length;
      if (all > 0) this.#choose((this.#chosen + (shiftKey ? all - 1 : 1)) % all);
    } else {
      return false;
    }
    return true;
  }

  get #corner() { return cornersOf(this.areas)[this.#chosen]; }

  #choose(number) {
    this.#chosen = number;
    const corner = this.#corner;
    if (corner) this.#say(`${corner.what} at ${placeWords(corner.point)}`);
    this.#draw();
  }

  #say(text) { this.said.textContent = text; }

  #isNear(point, other) { return this.stage.distance(point, other) < this.#near; }

  #add(point, byKeyboard = false) {
    const last = this.#points.at(-1);
    if (this.#points.length >= 3 && this.#mode === 'zone' && this.#isNear(point, this.#points[0])) return this.#finish(byKeyboard);
    // The second click of a double click is no corner.
    if (last && this.#isNear(point, last)) return;
    this.#points.push(point);
    this.#cursor = point;
    if (this.#mode === 'line' && this.#points.length === 2) return this.#finish(byKeyboard);
    this.#draw();
  }

  /** @param byKeyboard it goes on where the new area is named. */
  #finish(byKeyboard = false) {
    const points = this.#points;
    let area;
    if (this.#mode === 'zone' && points.length >= 3) {
      area = { name: this.#freeName('zone'), points };
      this.areas.zones.push(area);
    } else if (this.#mode === 'line' && points.length === 2) {
      area = { name: this.#freeName('line'), from: points[0], to: points[1] };
      this.areas.lines.push(area);
    } else {
      return this.#lacks();
    }
    this.#enter(null);
    this.#render();
    this.#changed();
    this.#say(`${area.name} is drawn.`);
    if (!byKeyboard) return;
    const row = [...this.list.querySelectorAll('.area')].find(({ dataset }) => dataset.name === area.name);
    row?.querySelector('input').focus({ preventScroll: true });
  }

  /** There is nothing yet that could be closed. */
  #lacks() {
    if (!this.#mode || this.#mode === 'edit') return;
    const [needed, what] = this.#mode === 'zone' ? [3, 'corner'] : [2, 'point'];
    const text = `A ${this.#mode} needs ${count(needed, what)}; so far there ${this.#points.length === 1 ? 'is' : 'are'} ${this.#points.length}.`;
    this.#say(text);
    this.helpText.textContent = `${text} ${help[this.#mode]}`;
  }

  get #all() { return [...this.areas.zones, ...this.areas.lines]; }

  #freeName(kind) {
    const names = new Set(this.#all.map((area) => area.name));
    for (let number = 1; ; number += 1) if (!names.has(`${kind}-${number}`)) return `${kind}-${number}`;
  }

  #cornerAt(point) {
    const corners = cornersOf(this.areas);
    const at = corners.findIndex((corner) => this.#isNear(corner.point, point));
    if (at < 0) return null;
    this.#chosen = at;
    return corners[at].move;
  }

  #draw() {
    this.stage.update({
      areas: this.areas, isEdited: this.#mode === 'edit', corner: this.#mode === 'edit' ? this.#corner?.point ?? null : null,
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
    row.dataset.kind = isZone ? 'zone' : 'line';
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
