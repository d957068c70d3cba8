// Pictures of a multipart/x-mixed-replace answer. An <img> would show them, but could carry no token.
import { open } from './api.js';

const largestHeader = 4096;

function indexOf(bytes, text, from = 0) {
  const wanted = [...text].map((letter) => letter.charCodeAt(0));
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
  }
  return -1;
}

/** Calls `onPicture(blob, headers)` for each part, the next when it is done; parts need a Content-Length. */
export async function pictures(path, onPicture, { signal } = {}) {
  const response = await open(path, { signal, cache: 'no-store' });
  const reader = response.body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    held = joined;
    for (;;) {
      const end = indexOf(held, '\r\n\r\n');
      if (end < 0) { if (held.length > largestHeader) throw new Error('This is no stream of pictures.'); break; }
      const lines = new TextDecoder().decode(held.subarray(0, end)).split('\r\n');
      const headers = new Map(lines.filter((line) => line.includes(':')).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
      }));
      const length = Number(headers.get('content-length'));
      if (!Number.isInteger(length)) throw new Error('A picture of the stream has no length.');
      if (held.length < end + 4 + length) break;
      const picture = new Blob([held.subarray(end + 4, end + 4 + length)], { type: headers.get('content-type') });
      held = held.slice(end + 4 + length);
      await onPicture(picture, headers);
    }
  }
}
