// Values behind the mesh view: who calls whom, and how often.

/** Samples that are kept of each rate: a minute of seconds. */
const kept = 60;

/** `[{coordinator, node}]` */
export const linksOf = (coordinators) =>
  coordinators.flatMap(({ address, nodes = [] }) => nodes.map((node) => ({ coordinator: address, node })));

const kinds = { ready: 'good', connecting: 'busy', ejected: 'warn', draining: 'warn' };

/** How a state looks. */
export const kindOf = (state) => kinds[state] ?? 'bad';

const roles = { detector: 'Detector', classifier: 'Classifier', node: 'Detector and classifier', coordinator: 'Coordinator' };

export const roleOf = ({ role }) => roles[role] ?? role;

const badness = (state) => ['ready', 'ejected', 'connecting'].indexOf(state);

/** Each node once: counts are added up over coordinators; what the node says of itself is the same for all. */
export function nodesOf(links) {
  const nodes = new Map();
  for (const { node } of links) {
    const known = nodes.get(node.address);
    if (!known) { nodes.set(node.address, { ...node }); continue; }
    for (const name of ['calls', 'failures', 'ejections', 'outstanding']) known[name] = (known[name] ?? 0) + (node[name] ?? 0);
    for (const name of ['latency_ms', 'p99_ms']) known[name] = Math.max(known[name] ?? 0, node[name] ?? 0);
    if (badness(node.state) < badness(known.state)) { known.state = node.state; known.reason = node.reason; }
  }
  return [...nodes.values()].sort((a, b) => `${a.role} ${a.address}`.localeCompare(`${b.role} ${b.address}`, 'en', { numeric: true }));
}

/** Rates from counters that were read at different times. */
export class MeshHistory {
  #links = new Map();
  #series = new Map();

  add(links, now) {
    const rates = new Map();
    const seen = new Set();
    for (const { coordinator, node } of links) {
      const key = `${coordinator} ${node.address}`;
      seen.add(key);
      const before = this.#links.get(key);
      // A counter that went back belongs to a process that began anew.
      const perSecond = before && node.calls >= before.calls && now > before.at ? (node.calls - before.calls) / (now - before.at) * 1000 : 0;
      this.#links.set(key, { calls: node.calls, at: now, perSecond });
      rates.set(node.address, (rates.get(node.address) ?? 0) + perSecond);
    }
    for (const key of this.#links.keys()) if (!seen.has(key)) this.#links.delete(key);
    for (const address of this.#series.keys()) if (!rates.has(address)) this.#series.delete(address);
    rates.forEach((perSecond, address) => {
      this.#series.set(address, [...this.seriesOf(address), perSecond].slice(-kept));
    });
  }

  seriesOf(address) { return this.#series.get(address) ?? []; }

  /** Calls a second of the last interval, from one coordinator or from all. */
  rateOf(address, coordinator) {
    if (coordinator !== undefined) return this.#links.get(`${coordinator} ${address}`)?.perSecond ?? 0;
    return this.seriesOf(address).at(-1) ?? 0;
  }
}
