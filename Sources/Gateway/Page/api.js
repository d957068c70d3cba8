// HTTP to the gateway: every call carries the token, asks for one once at 401, and fails with a Problem.
import { askForToken, credentials, token } from './access.js';
import { Problem } from './problems.js';

async function send(path, options = {}) {
  for (let attempt = 0; ; attempt += 1) {
    let response;
    try {
      response = await fetch(path, { ...options, headers: { ...options.headers, ...credentials() } });
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw Problem.unreachable;
    }
    if (response.ok) return response;
    if (response.status === 401 && attempt === 0 && await askForToken()) continue;
    throw await Problem.of(response);
  }
}

export const getJSON = async (path, options) => (await send(path, options)).json();

export const getText = async (path, options) => (await send(path, options)).text();

export const getBlob = async (path, options) => (await send(path, options)).blob();

/** Answers without waiting for the body. */
export const open = send;

export const sendJSON = async (method, path, value, options = {}) => {
  const response = await send(path, {
    ...options, method, body: JSON.stringify(value), headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
  });
  const text = await response.text();
  return text === '' ? null : JSON.parse(text);
};

export const post = (path, options) => send(path, { ...options, method: 'POST' });

export const remove = (path, options) => send(path, { ...options, method: 'DELETE' });

export function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  // Not URLSearchParams: it writes a space as a plus sign, which is one in an address.
  return pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')}`;
}

/** Sends a file and tells how much of it is gone. Resolves with the answer's JSON. */
export async function upload(path, file, options = {}) {
  try {
    return await put(path, file, options);
  } catch (error) {
    if (error instanceof Problem && error.status === 401 && await askForToken()) return put(path, file, options);
    throw error;
  }
}

/** By XMLHttpRequest, which alone knows how much of a body is gone. */
function put(path, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const done = (settle, value) => { signal?.removeEventListener('abort', stop); settle(value); };
    request.open('POST', path);
    if (token()) request.setRequestHeader('Authorization', `Bearer ${token()}`);
    // What it is, the gateway finds out from its bytes; a browser only guesses by the name.
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('Accept', 'application/json');
    request.upload.addEventListener('progress', (event) => onProgress?.(event.loaded, event.total || file.size));
    request.addEventListener('load', () => {
      let body = {};
      try { body = JSON.parse(request.responseText); } catch { /* A proxy's page; the status says enough. */ }
      if (request.status >= 200 && request.status < 300) return done(resolve, body);
      const retryAfter = Number(request.getResponseHeader('Retry-After')) || undefined;
      done(reject, new Problem({ title: request.statusText, ...body, status: request.status, retryAfter }));
    });
    request.addEventListener('error', () => done(reject, Problem.unreachable));
    request.addEventListener('abort', () => done(reject, new DOMException('stopped', 'AbortError')));
    signal?.addEventListener('abort', stop);
    request.send(file);
  });
}

/** Saves what `path` answers. With a token it has to be fetched, since a link cannot carry one. */
export async function download(path, name) {
  const link = document.createElement('a');
  link.download = name;
  const blob = token() ? URL.createObjectURL(await getBlob(path)) : null;
  link.href = blob ?? path;
  link.click();
  if (blob) setTimeout(() => URL.revokeObjectURL(blob), 60_000);
}
