// What a video's frames showed, by number: kept for the overlay, the tracks and the timeline.

/** Frames whose boxes are kept; of older ones only the count stays. */
const framesKept = 20_000;
const eventsKept = 5000;
/** Frames of a track behind the one that is shown. */
const trailLength = 40;

export class Findings {
  #frames = new Map();
  counts = [];
  tracks = new Map();
  events = [];
  newest = null;

  get length() { return this.counts.length; }

  frame(sequence) { return this.#frames.get(sequence); }

  add(frame) {
    const { sequence, detections = [], epoch = 0 } = frame;
    const isKnown = this.#frames.has(sequence);
    this.newest = Math.max(this.newest ?? 0, sequence);
    while (this.counts.length <= sequence) this.counts.push(0);
    this.counts[sequence] = detections.length;
    this.#frames.set(sequence, frame);
    if (this.#frames.size > framesKept) this.#frames.delete(this.#frames.keys().next().value);
    if (isKnown) return;
    for (const { track_id: id, label } of detections) {
      if (id === undefined) continue;
      const key = `${epoch}/${id}`;
      const track = this.tracks.get(key) ?? { id, epoch, label, frames: 0, first: sequence, last: sequence };
      this.tracks.set(key, { ...track, label, frames: track.frames + 1, first: Math.min(track.first, sequence), last: Math.max(track.last, sequence) });
    }
  }

  /** One that comes twice, because a connection broke, counts once. */
  addEvent(event) {
    const isSame = (other) => other.sequence === event.sequence && other.type === event.type && other.area === event.area
      && other.track_id === event.track_id && other.direction === event.direction;
    if (this.events.some((other) => isSame(other))) return;
    const after = this.events.findLastIndex((other) => other.sequence <= event.sequence);
    this.events.splice(after + 1, 0, event);
    if (this.events.length > eventsKept) this.events.shift();
  }

  clearEvents() { this.events = []; }

  /** Where the tracks of a frame were before it: `[{track, points}]`, oldest point first. */
  trails(sequence) {
    const present = this.frame(sequence);
    const trails = new Map((present?.detections ?? []).filter(({ track_id: id }) => id !== undefined).map(({ track_id: id }) => [id, []]));
    for (let at = Math.max(0, sequence - trailLength); at <= sequence; at += 1) {
      const frame = this.#frames.get(at);
      if (!frame || (frame.epoch ?? 0) !== (present?.epoch ?? 0)) continue;
      for (const { track_id: id, box } of frame.detections ?? []) {
        trails.get(id)?.push([box.x + box.width / 2, box.y + box.height / 2]);
      }
    }
    return [...trails].filter(([, points]) => points.length > 1).map(([track, points]) => ({ track, points }));
  }
}
