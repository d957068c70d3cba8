// Gateway, coordinators, nodes, and a line for each pair that speaks, as thick as its traffic.
import { graphic } from './elements.js';
import { count, rate } from './format.js';
import { kindOf, roleOf } from './meshmodel.js';

const boxHeight = 52;
const gap = 16;
const longestText = 28;
/** Pixels of the page from which there is room for three columns. */
const wide = 640;

/** Side by side: `{width, height, place(layer, index, length)}`, a place being the upper left corner of a box. */
function columns(layers) {
  const [width, boxWidth] = [900, 210];
  const height = Math.max(...layers.map(({ length }) => length), 1) * (boxHeight + gap) + gap;
  return {
    width, height, boxWidth,
    place: (layer, index, length) => [
      layer * (width - boxWidth) / 2, (height - length * (boxHeight + gap) + gap) / 2 + index * (boxHeight + gap)],
    line: ([x, y], [toX, toY]) => {
      const [x1, y1, y2] = [x + boxWidth, y + boxHeight / 2, toY + boxHeight / 2];
      return `M${x1} ${y1}C${x1 + 60} ${y1} ${toX - 60} ${y2} ${toX} ${y2}`;
    },
  };
}

/** One below the other, two boxes in a row. */
function rows(layers) {
  const [width, boxWidth, between] = [340, 162, 44];
  const depth = (length) => Math.ceil(length / 2) * (boxHeight + gap) - gap;
  const starts = layers.map((_, at) => layers.slice(0, at).reduce((sum, { length }) => sum + depth(length) + between, gap));
  return {
    width, height: starts.at(-1) + depth(layers.at(-1).length) + gap, boxWidth,
    place: (layer, index, length) => {
      const inRow = Math.min(2, length - Math.floor(index / 2) * 2);
      const left = inRow === 2 ? (index % 2) * (width - boxWidth) : (width - boxWidth) / 2;
      return [left, starts[layer] + Math.floor(index / 2) * (boxHeight + gap)];
    },
    line: ([x, y], [toX, toY]) => {
      const [x1, y1, x2] = [x + boxWidth / 2, y + boxHeight, toX + boxWidth / 2];
      return `M${x1} ${y1}C${x1} ${y1 + 30} ${x2} ${toY - 30} ${x2} ${toY}`;
    },
  };
}

export function drawMesh(host, coordinators, nodes, links, history) {
  const layers = [
    [{ key: 'gateway', title: 'Gateway', minor: location.host, kind: 'good' }],
    coordinators.map(({ address, state }) => ({ key: address, title: 'Coordinator', minor: address, kind: kindOf(state) })),
    nodes.map((node) => ({
      key: node.address, title: roleOf(node), minor: node.address, kind: kindOf(node.state), end: `${rate(history.rateOf(node.address))}/s`,
    })),
  ];
  const isWide = host.clientWidth >= wide;
  const layout = (isWide ? columns : rows)(layers);
  const places = new Map(layers.flatMap((boxes, layer) => boxes.map((box, index) =>
    [box.key, { ...box, place: layout.place(layer, index, boxes.length) }])));
  const join = (from, to, perSecond, isBroken) => {
    const [a, b] = [places.get(from), places.get(to)];
    return a && b && graphic('path', {
      d: layout.line(a.place, b.place), class: isBroken ? 'broken' : perSecond > 0 ? 'flows' : '',
      'stroke-width': Math.min(8, 1 + Math.log2(1 + perSecond)).toFixed(1),
    });
  };
  const rateFrom = (address) => links.filter((link) => link.coordinator === address)
    .reduce((sum, link) => sum + history.rateOf(link.node.address, address), 0);
  const lines = [
    ...coordinators.map(({ address, state }) => join('gateway', address, rateFrom(address), kindOf(state) === 'bad')),
    ...links.map(({ coordinator, node }) => join(coordinator, node.address, history.rateOf(node.address, coordinator), kindOf(node.state) === 'bad')),
  ];
  const short = (text) => (text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text);
  const boxes = [...places.values()].map(({ title, minor, kind, end, place: [x, y] }) => graphic('g', { class: kind },
    graphic('title', {}, `${title} ${minor}`),
    graphic('rect', { x, y, width: layout.boxWidth, height: boxHeight, rx: 8, 'stroke-width': 1.5 }),
    graphic('text', { x: x + 12, y: y + 22 }, title),
    end ? graphic('text', { x: x + layout.boxWidth - 12, y: y + 22, 'text-anchor': 'end', class: 'minor' }, end) : '',
    graphic('text', { x: x + 12, y: y + 40, class: 'minor' }, short(minor))));
  host.replaceChildren(graphic('svg', {
    class: isWide ? 'graph' : 'graph narrow', viewBox: `-2 -2 ${layout.width + 4} ${layout.height + 4}`, role: 'img',
    'aria-label': `The gateway sends to ${count(coordinators.length, 'coordinator')}, these to ${count(nodes.length, 'node')}; the table below has the numbers.`,
  }, lines.filter(Boolean), boxes));
}
