// This device's camera, as JPEG pictures.
import { element } from './elements.js';

const longestSide = 1280;
const quality = 0.8;
/** Pictures that are on their way at the same time: one travels while one is looked at. */
const inFlight = 2;
const mostPerSecond = 30;

const words = {
  NotAllowedError: 'This page was not allowed to use the camera. Allow it in the browser, then start again.',
  NotFoundError: 'This device has no camera.',
  NotReadableError: 'Another program uses the camera.',
};

export class Camera {
  static async open() {
    if (!navigator.mediaDevices) throw new Error('Browsers give a camera only to pages on this machine or with TLS (https).');
    try {
      const media = await navigator.mediaDevices.getUserMedia({ audio: false, video: { width: { ideal: 1280, max: longestSide }, height: { ideal: 720 } } });
      const video = element('video', { playsinline: true });
      video.muted = true;
      video.srcObject = media;
      await video.play();
      return new Camera(media, video);
    } catch (error) {
      throw new Error(words[error.name] ?? error.message);
    }
  }

  constructor(media, video) {
    this.media = media;
    this.video = video;
    this.width = video.videoWidth;
    this.height = video.videoHeight;
    this.canvas = element('canvas');
    this.canvas.width = this.width;
    this.canvas.height = this.height;
  }

  /** Calls `post(jpeg)` again and again; a picture is taken only when there is room for it. */
  async send(post, signal) {
    const context = this.canvas.getContext('2d', { alpha: false });
    const underway = new Set();
    let failure = null;
    while (!signal.aborted && !failure) {
      const started = performance.now();
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
