// Where the time of one picture went: a bar for each hop, made of the steps in it.
import { element } from './elements.js';
import { milliseconds } from './format.js';

const steps = ['receive', 'queue', 'decode', 'preprocess', 'infer', 'postprocess', 'network', 'merge', 'draw'];
const stepWords = {
  receive: 'receiving', draw: 'drawing', queue: 'waiting', decode: 'decoding', preprocess: 'preparing', infer: 'the model', postprocess: 'reading its answer',
  network: 'on the wire', merge: 'making one answer',
};
const hopWords = {
  coordinator: 'Coordinator', detect: 'Detector', classify: 'Classifier', node: 'Both together', track: 'Tracker', gateway: 'Gateway',
  browser: 'Browser and back',
};

/**
 * Steps named `hop.step` in milliseconds, grouped by hop; what has no step is a hop of its own. `total` is what the mesh took
 * in all, `gateway.total` what the gateway did, `coordinator.fan_out` all that was done at the nodes.
 */
export function hopsOf(timing, roundTrip) {
  const hops = new Map();
  for (const [name, value] of Object.entries(timing)) {
    // What is made of other steps is none: both stages have the overlap in their own times, and the nodes' are in the fan-out.
    if (['total', 'gateway.total', 'node.overlap', 'coordinator.fan_out'].includes(name)) continue;
    const dot = name.indexOf('.');
    const hop = dot < 0 ? name : name.slice(0, dot);
    hops.set(hop, [...(hops.get(hop) ?? []), [dot < 0 ? '' : name.slice(dot + 1), value]]);
  }
  const known = timing['gateway.total'] ?? timing.total ?? 0;
  if (roundTrip !== undefined && roundTrip > known) hops.set('browser', [['', roundTrip - known]]);
  return hops;
}

export function showTiming(host, timing, roundTrip) {
  const hops = hopsOf(timing ?? {}, roundTrip);
  if (hops.size === 0) return host.replaceChildren(element('p', { class: 'empty' }, 'The answer says nothing of it.'));
  const sum = (parts) => parts.reduce((total, [, value]) => total + value, 0);
  const longest = Math.max(...[...hops.values()].map(sum), 0.001);
  const seen = new Set();
  const rows = [...hops].flatMap(([hop, parts]) => {
    const bar = element('div', { class: 'hop-bar', role: 'img' });
    bar.setAttribute('aria-label', parts.map(([step, value]) => `${stepWords[step] ?? step} ${milliseconds(value)}`).join(', '));
    parts.forEach(([step, value]) => {
      const number = steps.indexOf(step) + 1 || 7;
      if (step) seen.add(step);
      const part = element('i', { class: `part-${number}`, title: `${stepWords[step] ?? (step || hop)}: ${milliseconds(value)}` });
      part.style.width = `${value / longest * 100}%`;
      bar.append(part);
    });
    return [element('span', {}, hopWords[hop] ?? hop), bar, element('span', { class: 'numbers' }, milliseconds(sum(parts)))];
  });
  const all = roundTrip ?? timing.total;
  host.replaceChildren(
    element('div', { class: 'hops' }, rows),
    element('ul', { class: 'legend' }, steps.filter((step) => seen.has(step)).map((step) =>
      element('li', {}, element('span', { class: `swatch part-${steps.indexOf(step) + 1}` }), stepWords[step]))),
    all === undefined ? '' : element('p', { class: 'hint' },
      `${milliseconds(all)} from here to here${timing?.total === undefined ? '' : `, ${milliseconds(timing.total)} of them in the mesh`}. Detector and classifier may work at the same time.`));
}
