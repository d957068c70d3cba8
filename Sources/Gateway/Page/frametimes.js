// When each frame of a video begins: as its results say, and by the nominal rate where none has come yet.

const usualFrameRate = 25;
/** Players and containers round; milliseconds. */
const slack = 0.5;
/** Of a frame that is only guessed at: neither its beginning nor its middle is taken for another's. */
const quarter = 0.25;

export class FrameTimes {
  /** Frames a second, nominal. */
  rate = usualFrameRate;
  /** Milliseconds, of the frames from the first to the newest that came. */
  #begins = [];

  add(frame, begin) {
    const begins = this.#begins;
    const { index, time } = this.#newest;
    // Frames in between that did not come, as if they were evenly spread.
    while (begins.length < frame) begins.push(time + (begin - time) * (begins.length - index) / (frame - index));
    begins[frame] = begin;
  }

  /** Seconds from the beginning of the file. */
  of(frame) {
    if (frame < this.#begins.length) return this.#begins[frame] / 1000;
    const { index, time } = this.#newest;
    return time / 1000 + (frame - index) / this.rate;
  }

  /** In the middle of a frame: its beginning may still be the one before. */
  within(frame) { return (this.of(frame) + this.of(frame + 1)) / 2; }

  /** The frame that is seen at a time in seconds. */
  at(seconds) {
    const begins = this.#begins;
    const time = seconds * 1000 + slack;
    let [begun, notBegun] = [0, begins.length];
    while (begun < notBegun) {
      const middle = (begun + notBegun) >> 1;
      if (begins[middle] <= time) begun = middle + 1; else notBegun = middle;
    }
    if (begun < begins.length) return Math.max(0, begun - 1);
    const newest = this.#newest;
    return newest.index + Math.max(0, Math.floor((seconds - newest.time / 1000) * this.rate + quarter));
  }

  get #newest() { return { index: Math.max(0, this.#begins.length - 1), time: this.#begins.at(-1) ?? 0 }; }
}
