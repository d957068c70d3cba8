// What happens at zones and lines: as sentences, and as counts.

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
  #since;

  /** @param since when entries and exits began to be counted, in words, where that is not the beginning */
  constructor({ since = '' } = {}) { this.#since = since; }

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
      : { text: `${counts.inside ?? 0} inside${this.#since ? `; ${this.#since}: ` : ', '}${counts.entered} entered, ${counts.left} left`, note: String(counts.inside ?? 0) }]));
  }
}
