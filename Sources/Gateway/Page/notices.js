// Errors at the top of the page; each stays until it is closed, and none is shown twice.
import { byId, element } from './elements.js';
import { explain } from './problems.js';

const most = 4;

/** @param of the file that it is about */
export function notify(error, { of } = {}) {
  if (error?.name === 'AbortError') return;
  const { title: what, detail, advice } = explain(error);
  const title = of ? `${of}: ${what}` : what;
  const host = byId('notices');
  const key = [title, detail].join('\n');
  if ([...host.children].some((notice) => notice.dataset.key === key)) return;
  const notice = element('div', { class: 'notice' },
    element('div', {}, element('strong', {}, title), detail && element('p', {}, detail), advice && element('p', { class: 'hint' }, advice)),
    element('button', { type: 'button', class: 'small', 'aria-label': `Close: ${title}`, on: { click: () => notice.remove() } }, 'Close'));
  notice.dataset.key = key;
  host.append(notice);
  while (host.children.length > most) host.firstElementChild.remove();
}

export const clearNotices = () => byId('notices').replaceChildren();
