// Asks before something is done that cannot be undone.
import { byId } from './elements.js';

/** Shows the dialog, the keyboard on what changes nothing; Escape is a no. */
export function confirmed({ title, text, yes }) {
  return new Promise((resolve) => {
    const dialog = byId('confirmation');
    byId('confirmation-title').textContent = title;
    byId('confirmation-text').textContent = text;
    byId('confirmation-yes').textContent = yes;
    dialog.returnValue = 'no';
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
    dialog.showModal();
    byId('confirmation-no').focus();
  });
}
