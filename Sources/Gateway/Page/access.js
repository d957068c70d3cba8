// The bearer token: kept in the tab's session storage, asked for when the API says 401.
import { byId } from './elements.js';

const key = 'framemesh.token';
let asking = null;

export const token = () => sessionStorage.getItem(key) ?? '';

export const credentials = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

/**
 * Shows the dialog. Several who ask at once share one answer: whether there is a new token to try.
 * @param isNeeded the gateway has refused a call without one
 */
export function askForToken({ isNeeded = true } = {}) {
  asking ??= new Promise((resolve) => {
    const dialog = byId('access');
    const field = byId('access-token');
    field.value = '';
    byId('access-text').textContent = isNeeded
      ? 'This gateway asks who you are. Enter the token that you were given.'
      : 'A gateway may ask who you are. If you were given a token, enter it here.';
    dialog.returnValue = 'cancel';
    dialog.addEventListener('close', () => {
      asking = null;
      const entered = field.value.trim();
      field.value = '';
      if (dialog.returnValue === 'forget') sessionStorage.removeItem(key);
      const isNew = dialog.returnValue === 'use' && entered !== '';
      if (isNew) sessionStorage.setItem(key, entered);
      resolve(isNew);
    }, { once: true });
    dialog.showModal();
    field.focus();
  });
  return asking;
}

/** @param onNew a token was entered without being asked for. */
export function setUpAccess(onNew) {
  byId('access-open').addEventListener('click', async () => { if (await askForToken({ isNeeded: false })) onNew(); });
  // Enter in the field means the last button, not the first.
  byId('access-token').addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    byId('access').close('use');
  });
}
