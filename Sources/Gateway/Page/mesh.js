// The mesh as its coordinators see it: asked for again and again while it is looked at.
import { getJSON } from './api.js';
import { pipelines } from './controls.js';
import { byId, element, graphic, pill, table, tile } from './elements.js';
import { milliseconds, rate } from './format.js';
import { drawMesh } from './meshgraph.js';
import { MeshHistory, kindOf, linksOf, nodesOf, roleOf } from './meshmodel.js';
import { notify } from './notices.js';
import { sentence } from './problems.js';

const interval = 1000;
const pipelinesEvery = 5;

const nowWords = { ready: ['ready', 'good'], partial: ['in part', 'warn'], fails: ['not possible', 'bad'] };

export class MeshView {
  #timer = null;
  #turn = 0;
  #history = new MeshHistory();
  #isBusy = false;
  /** When the mesh was seen last. */
  #seen = null;

  enter() {
    this.#turn = 0;
    this.#tick();
    this.#timer = setInterval(() => this.#tick(), interval);
  }

  leave() { clearInterval(this.#timer); }

  async #tick() {
    if (this.#isBusy || document.hidden) return;
    this.#isBusy = true;
    try {
      const answer = await getJSON('/v1/nodes');
      // Those that answer; one that does not is not among them.
      const coordinators = (answer.coordinators ?? []).map((each) => ({ state: 'ready', ...each }));
      const links = linksOf(coordinators);
      this.#history.add(links, performance.now());
      const nodes = nodesOf(links);
      byId('mesh-status').textContent = '';
      this.#seen = new Date();
      byId('panel-mesh').classList.remove('old');
      this.#tiles(coordinators, nodes);
      drawMesh(byId('mesh-graph'), coordinators, nodes, links, this.#history);
      this.#nodes(nodes, links);
      if (this.#turn % pipelinesEvery === 0) this.#pipelines(await pipelines({ again: true }));
      this.#turn += 1;
    } catch (error) {
      // What is below looks like now, and is not.
      const age = this.#seen ? ` Below is how it was at ${this.#seen.toLocaleTimeString()}.` : '';
      byId('mesh-status').textContent = sentence(error) + age;
      byId('panel-mesh').classList.add('old');
      if (error.status === 401 || error.status === 403) { clearInterval(this.#timer); notify(error); }
    } finally {
      this.#isBusy = false;
    }
  }

  #tiles(coordinators, nodes) {
    const sum = (value) => nodes.reduce((total, node) => total + value(node), 0);
    const ready = nodes.filter(({ state }) => state === 'ready').length;
    const reachable = coordinators.filter(({ state }) => state === 'ready').length;
    byId('mesh-tiles').replaceChildren(
      tile('Coordinators', `${reachable} / ${coordinators.length}`),
      tile('Nodes ready', `${ready} / ${nodes.length}`),
      tile('Calls a second', rate(sum((node) => this.#history.rateOf(node.address)))),
      tile('Running now', String(sum((node) => node.in_flight ?? node.outstanding ?? 0))),
      tile('Waiting in queues', String(sum((node) => node.queue_depth ?? 0))),
      tile('Ejections', String(sum((node) => node.ejections ?? 0))));
  }

  #nodes(nodes, links) {
    byId('mesh-nodes').replaceChildren(nodes.length === 0 ? element('p', { class: 'empty' }, 'The coordinators know no nodes.') : table('Nodes', [
      { title: 'Node' }, { title: 'State' }, { title: 'Models', class: 'text' }, { title: 'Calls/s', number: true }, { title: 'Last minute' },
      { title: 'Queue', number: true }, { title: 'Running', number: true }, { title: 'Latency', number: true }, { title: 'p99', number: true },
      { title: 'Failures', number: true }, { title: 'Ejections', number: true }, { title: 'Coordinators', number: true },
    ], nodes.map((node) => [
      element('span', {}, `${roleOf(node)} `, element('span', { class: 'numbers' }, node.address)),
      pill(node.state, kindOf(node.state)),
      element('span', {}, (node.models ?? []).map(({ name }) => name).join(', '), node.reason && element('span', { class: 'hint' }, ` ${node.reason}`)),
      rate(this.#history.rateOf(node.address)), this.#spark(this.#history.seriesOf(node.address)),
      node.queue_depth === undefined ? '–' : `${node.queue_depth} / ${node.queue_limit}`,
      node.workers === undefined ? String(node.outstanding ?? 0) : `${node.in_flight} / ${node.workers}`,
      milliseconds(node.latency_ms), node.p99_ms ? milliseconds(node.p99_ms) : '–', String(node.failures ?? 0), String(node.ejections ?? 0),
      String(links.filter((link) => link.node.address === node.address && link.node.state === 'ready').length),
    ]), { stacks: true }));
  }

  #spark(series) {
    const most = Math.max(1, ...series);
    const points = series.map((value, index) => `${index},${(20 - value / most * 18).toFixed(1)}`).join(' ');
    return graphic('svg', { class: 'spark', viewBox: `0 0 ${Math.max(1, series.length - 1)} 21`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      graphic('polyline', { points }));
  }

  #pipelines(all) {
    byId('mesh-pipelines').replaceChildren(table('Pipelines', [
      { title: 'Pipeline' }, { title: 'Now' }, { title: 'Stages', class: 'text' }, { title: 'Models', class: 'text' }, { title: 'What comes back', class: 'words' },
    ], all.map(({ name, now, stages = [], models = [], text, missing = [] }) => {
      const [word, kind] = nowWords[now] ?? [now ?? '–', ''];
      const lack = missing.length > 0 && element('span', { class: 'hint' }, ` without ${missing.join(', ')}`);
      return [name, element('span', {}, pill(word, kind), lack), stages.join(', '), models.join(', '), text];
    }), { stacks: true }));
  }
}
