// This device's camera, as JPEG pictures.
import { element } from './elements.js';
import { DeviceProblem } from './problems.js';

const longestSide = 1280;
const quality = 0.8;
/** Pictures that are on their way at the same time: one travels while one is looked at. */
const inFlight = 2;
const mostPerSecond = 30;

const title = 'There is no picture of the camera';
const words = {
  NotAllowedError: 'This page was not allowed to use the camera. Allow it in the browser, then start again.',
  NotFoundError: 'This device has no camera.',
  NotReadableError: 'Another program uses the camera.',
  AbortError: 'The camera did not start.',
};

export class Camera {
  #isGone = false;

  static async open() {
    if (!navigator.mediaDevices) throw new DeviceProblem(title, 'Browsers give a camera only to pages on this machine or with TLS (https).');
    try {
      const media = await navigator.mediaDevices.getUserMedia({ audio: false, video: {
        width: { ideal: 1280, max: longestSide }, height: { ideal: 720 }, facingMode: { ideal: 'environment' },
      } });
      const video = element('video', { playsinline: true });
      video.muted = true;
      video.srcObject = media;
      await video.play();
      return new Camera(media, video);
    } catch (error) {
      throw new DeviceProblem(title, words[error.name] ?? error.message);
    }
  }

  constructor(media, video) {
    this.media = media;
    this.video = video;
    this.canvas = element('canvas');
    media.getVideoTracks().forEach((track) => track.addEventListener('ended', () => { this.#isGone = true; }));
  }

  /** Other ones when the device is turned. */
  get width() { return this.video.videoWidth; }
  get height() { return this.video.videoHeight; }

  /** Calls `post(jpeg)` again and again; a picture is taken only when there is room for it. */
  async send(post, signal) {
    const context = this.canvas.getContext('2d', { alpha: false });
    const underway = new Set();
    let failure = null;
    while (!signal.aborted && !failure) {
      if (this.#isGone) throw new DeviceProblem(title, 'The camera was taken away.');
      const started = performance.now();
      if (this.canvas.width !== this.width || this.canvas.height !== this.height) {
        this.canvas.width = this.width;
        this.canvas.height = this.height;
      }
      context.drawImage(this.video, 0, 0, this.width, this.height);
      const picture = await new Promise((resolve) => { this.canvas.toBlob(resolve, 'image/jpeg', quality); });
      if (signal.aborted) return;
      const sent = post(picture).catch((error) => { failure ??= error; }).finally(() => underway.delete(sent));
      underway.add(sent);
      if (underway.size >= inFlight) await Promise.race(underway);
      const left = 1000 / mostPerSecond - (performance.now() - started);
      if (left > 0) await new Promise((resolve) => { setTimeout(resolve, left); });
    }
    if (failure) throw failure;
  }

  close() {
    this.media.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
  }
}
