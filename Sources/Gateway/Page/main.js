// Tabs, and the views behind them. A view's work ends when it is left.
import { setUpAccess } from './access.js';
import { byId } from './elements.js';
import { LiveView } from './live.js';
import { MeshView } from './mesh.js';
import { clearNotices } from './notices.js';
import { PictureView } from './picture.js';
import { setUpTheme } from './theme.js';
import { VideoView } from './video.js';

setUpTheme();

const names = ['picture', 'video', 'live', 'mesh'];
const views = { picture: new PictureView(), video: new VideoView(), live: new LiveView(), mesh: new MeshView() };
let shown = null;

// What could not be had without it can now.
setUpAccess(() => {
  clearNotices();
  views[shown].leave();
  views[shown].enter();
});

function show(name, { focus = false } = {}) {
  if (!names.includes(name)) name = 'picture';
  if (name === shown) return;
  if (shown) views[shown].leave();
  shown = name;
  clearNotices();
  names.forEach((each) => {
    const tab = byId(`tab-${each}`);
    tab.setAttribute('aria-selected', String(each === name));
    tab.tabIndex = each === name ? 0 : -1;
    byId(`panel-${each}`).hidden = each !== name;
  });
  if (focus) byId(`tab-${name}`).focus();
  if (location.hash.slice(1) !== name) history.replaceState(null, '', `#${name}`);
  views[name].enter();
}

names.forEach((name, index) => {
  const tab = byId(`tab-${name}`);
  tab.addEventListener('click', () => show(name));
  tab.addEventListener('keydown', (event) => {
    const to = {
      ArrowLeft: names.at(index - 1), ArrowRight: names[(index + 1) % names.length], Home: names[0], End: names.at(-1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    show(to, { focus: true });
  });
});
// A file that misses its place must not replace the page.
for (const type of ['dragover', 'drop']) window.addEventListener(type, (event) => event.preventDefault());
window.addEventListener('hashchange', () => show(location.hash.slice(1)));
show(location.hash.slice(1) || 'picture');
