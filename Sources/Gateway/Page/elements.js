// Elements from values. Text goes in as text nodes only: a label or a file name can never become markup.

const svgNamespace = 'http://www.w3.org/2000/svg';

function build(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    } else if (name === 'class') {
      node.setAttribute('class', value);
    } else if (name in node && !(node instanceof SVGElement) && typeof value !== 'string') {
      node[name] = value;
    } else {
      node.setAttribute(name, value === true ? '' : String(value));
    }
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

/** An HTML element: `on` holds listeners, everything else are properties or attributes. */
export const element = (tag, properties = {}, ...children) =>
  build(document.createElement(tag), properties, children);

export const graphic = (tag, properties = {}, ...children) =>
  build(document.createElementNS(svgNamespace, tag), properties, children);

export const byId = (id) => document.getElementById(id);

/**
 * A table whose columns are `{title, number?, class?}` and whose rows are lists of texts or elements. Where there is little
 * room, each row of one that `stacks` becomes a block of its own.
 */
export function table(label, columns, rows, { onRow = () => {}, stacks = false } = {}) {
  const style = (column) => [column.number && 'number', column.class].filter(Boolean).join(' ') || null;
  return element('table', { 'aria-label': label, class: stacks && 'stacks' },
    element('thead', {}, element('tr', {}, columns.map((column) =>
      element('th', { scope: 'col', class: style(column) }, column.title)))),
    element('tbody', {}, rows.map((cells, index) => {
      const row = element('tr', {}, cells.map((cell, at) => element('td', { class: style(columns[at]), 'data-title': columns[at].title }, cell ?? '')));
      onRow(row, index);
      return row;
    })));
}

export const pill = (text, kind = '') => element('span', { class: `pill ${kind}`.trim() }, text);

export const tile = (title, value) => element('div', { class: 'tile' }, element('b', {}, value), element('span', {}, title));
