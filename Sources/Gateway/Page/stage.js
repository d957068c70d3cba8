// Where a picture is shown: the medium below, a canvas for what is drawn over it on top, both of the frame's shape on a screen.
import { element } from './elements.js';
import { clamp } from './format.js';
import { drawScene, widened } from './overlay.js';

export class Stage {
  #scene = {};
  #pending = false;

  constructor(host, label) {
    this.host = host;
    this.canvas = element('canvas', { class: 'overlay', role: 'img', 'aria-label': label });
    this.note = element('p', { class: 'stage-note', hidden: true });
    this.medium = null;
    this.width = 4;
    this.height = 3;
    /** Of a pixel of the frame, width to height. */
    this.aspect = 1;
    host.replaceChildren(this.canvas, this.note);
    new ResizeObserver(() => this.redraw()).observe(host);
  }

  /** CSS pixels for the height of one pixel of the frame. */
  get scale() { return this.host.clientWidth / (this.width * this.aspect); }

  /** Of two points of the frame, in CSS pixels. */
  distance([ax, ay], [bx, by]) { return Math.hypot((ax - bx) * this.aspect, ay - by) * this.scale; }

  /** An img, video or canvas; null leaves the ground empty. */
  show(medium) {
    this.medium?.remove();
    this.medium = medium;
    if (medium) this.host.prepend(medium);
  }

  say(text) {
    this.note.textContent = text ?? '';
    this.note.hidden = !text;
  }

  setSize(width, height) {
    if (!(width > 0 && height > 0) || (width === this.width && height === this.height)) return;
    this.width = width;
    this.height = height;
    this.#reshape();
  }

  /** Pixels of which nothing could be seen are square. */
  setAspect(aspect) {
    const shown = aspect > 0.1 && aspect < 10 ? aspect : 1;
    if (shown === this.aspect) return;
    this.aspect = shown;
    this.#reshape();
  }

  #reshape() {
    this.host.style.setProperty('--ratio', String(this.width * this.aspect / this.height));
    this.redraw();
  }

  describe(text) { this.canvas.setAttribute('aria-label', text); }

  draw(scene) {
    this.#scene = scene;
    this.redraw();
  }

  /** Changes some of the scene. */
  update(part) { this.draw({ ...this.#scene, ...part }); }

  /** At the next frame of the screen, however often it is asked for. */
  redraw() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => { this.#pending = false; this.#paint(); });
  }

  /** In pixels of the frame. */
  pointOf(event) {
    const place = this.canvas.getBoundingClientRect();
    return [
      clamp((event.clientX - place.left) / place.width * this.width, 0, this.width),
      clamp((event.clientY - place.top) / place.height * this.height, 0, this.height),
    ].map((value) => Math.round(value * 10) / 10);
  }

  #paint() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (width === 0) return;
    const density = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    this.canvas.logical = { width, height };
    const context = this.canvas.getContext('2d');
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    drawScene(context, this.scale, widened(this.#scene, this.aspect));
  }
}
