// Events over the length of a video: how many things each moment shows, and a row of marks for each area.
import { areaColour } from './colours.js';
import { element } from './elements.js';
import { colour, onTheme } from './theme.js';

const laneHeight = 22;
const graphHeight = 48;
const gutter = 120;
const padding = 8;
const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const markColour = { enter: '--good', leave: '--bad', cross: '--part-3', dwell: '--part-2', count: '--line-strong' };

export class Timeline {
  #state = { frames: 1, counts: [], events: [], at: 0 };
  #pending = false;

  /** @param onSeek gets a frame's number. */
  constructor(host, onSeek) {
    this.onSeek = onSeek;
    this.canvas = element('canvas', { role: 'img', 'aria-label': 'Timeline' });
    host.replaceChildren(this.canvas);
    new ResizeObserver(() => this.#soon()).observe(host);
    onTheme(() => this.#soon());
    this.canvas.addEventListener('click', (event) => {
      const place = this.canvas.getBoundingClientRect();
      const width = place.width - gutter - padding;
      const share = (event.clientX - place.left - gutter) / width;
      if (share >= 0 && share <= 1) this.onSeek(Math.round(share * (this.#state.frames - 1)));
    });
  }

  /** `{frames, counts, events, at}`: length in frames, detections of each frame by number, events, the frame shown. */
  show(part) {
    this.#state = { ...this.#state, ...part };
    this.#soon();
  }

  #soon() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => { this.#pending = false; this.#paint(); });
  }

  #paint() {
    const { frames, counts, events, at } = this.#state;
    const marks = events.filter((event) => event.type !== 'count');
    const lanes = [...new Set(marks.map((event) => event.area))];
    const width = this.canvas.parentElement.clientWidth;
    if (width === 0) return;
    const height = padding * 2 + graphHeight + lanes.length * laneHeight;
    const density = window.devicePixelRatio || 1;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    const context = this.canvas.getContext('2d');
    context.setTransform(density, 0, 0, density, 0, 0);
    context.font = font;
    context.textBaseline = 'middle';
    const room = width - gutter - padding;
    const place = (frame) => gutter + (frames > 1 ? frame / (frames - 1) : 0) * room;

    // Of the frames that share a column of pixels, the fullest is shown.
    const columns = new Map();
    counts.forEach((value, frame) => {
      const column = Math.floor(place(frame));
      columns.set(column, Math.max(columns.get(column) ?? 0, value));
    });
    const most = Math.max(1, ...columns.values());
    context.fillStyle = colour('--muted');
    context.fillText('Things seen', padding, padding + graphHeight / 2 - 8);
    context.fillText(`up to ${most}`, padding, padding + graphHeight / 2 + 8);
    context.fillStyle = colour('--accent');
    // Without gaps: their rounding would draw stripes.
    const each = Math.ceil(Math.max(1, room / Math.max(1, frames - 1)));
    columns.forEach((value, column) => {
      const tall = value / most * graphHeight;
      context.fillRect(column, padding + graphHeight - tall, Math.min(each, width - padding - column), tall);
    });

    lanes.forEach((lane, index) => {
      const y = padding + graphHeight + index * laneHeight + laneHeight / 2;
      context.strokeStyle = colour('--line');
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(gutter, y);
      context.lineTo(width - padding, y);
      context.stroke();
      context.fillStyle = areaColour;
      context.fillRect(padding, y - 4, 8, 8);
      context.fillStyle = colour('--text');
      context.fillText(lane.length > 14 ? `${lane.slice(0, 13)}…` : lane, padding + 14, y);
    });
    marks.forEach((event) => {
      const y = padding + graphHeight + lanes.indexOf(event.area) * laneHeight + laneHeight / 2;
      const x = place(event.sequence);
      context.fillStyle = colour(markColour[event.type] ?? '--text');
      context.beginPath();
      if (event.type === 'leave') context.rect(x - 4, y - 4, 8, 8); else context.arc(x, y, 5, 0, 2 * Math.PI);
      context.fill();
    });

    context.fillStyle = colour('--text');
    context.fillRect(place(at) - 1, 0, 2, height);
    const told = marks.length === 0 ? 'no events' : `${marks.length} events in ${lanes.join(', ')}`;
    this.canvas.setAttribute('aria-label', `Timeline of ${frames} frames: up to ${most} things at once, ${told}`);
  }
}
