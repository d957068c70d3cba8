// What went wrong, in plain words. The API answers with problem+json (RFC 9457).
import { token } from './access.js';
import { bytes } from './format.js';

export class Problem extends Error {
  /** @param {{status: number, title?: string, detail?: string, field?: string, limit?: string, limit_name?: string, retryAfter?: number}} facts */
  constructor(facts) {
    super(facts.detail || facts.title || `Status ${facts.status}`);
    Object.assign(this, facts);
  }

  static async of(response) {
    const facts = { status: response.status, retryAfter: Number(response.headers.get('Retry-After')) || undefined };
    try {
      return new Problem({ ...await response.json(), ...facts });
    } catch {
      return new Problem({ title: response.statusText, ...facts });
    }
  }

  /** The gateway did not answer at all. */
  static get unreachable() { return new Problem({ status: 0 }); }
}

/** What this device has or does not have; in words already. */
export class DeviceProblem extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

/** A field of the request, who shows no token, or one that is not enough: each is somebody else's to mend. */
function forbidden(problem) {
  if (problem.field) return ['This gateway does not allow that', 'Whoever runs it can allow it.'];
  if (!token()) return ['This is not allowed from here', 'It is for callers on the gateway’s own machine, or with a token.'];
  return ['This token may not do that', 'Ask whoever runs the gateway for one with more rights.'];
}

const again = (problem) => (problem.retryAfter ? `Try again in ${problem.retryAfter} s.` : 'Try again in a moment.');

const words = {
  0: () => ['The gateway does not answer', 'Is it still running, and is the network there?'],
  400: () => ['The gateway did not understand this', null],
  401: () => ['The gateway asks for a token', 'Enter one with “Token” above.'],
  403: forbidden,
  404: () => ['This is not there', 'It may have expired or been removed.'],
  405: () => ['The gateway does not offer this', null],
  406: () => ['This cannot be answered in the form that was asked for', null],
  408: () => ['The upload took too long', 'Is the connection slow? Try again, or a smaller file.'],
  409: () => ['That is not possible now', null],
  413: () => ['This is too large', 'Use a smaller file, or have the limit raised.'],
  415: () => ['This kind of file is not taken', 'Pictures may be JPEG, PNG or WebP; videos MP4, MOV, WebM, MKV, AVI and the like.'],
  421: () => ['The gateway does not go by this name', 'Open the page by the address that the gateway said at its start.'],
  422: () => ['This file could not be read', 'It may be damaged, cut off, or of another kind.'],
  429: (problem) => ['Too much at once', again(problem)],
  500: () => ['The gateway made a mistake', 'Its log says more.'],
  502: () => ['The mesh gave no usable answer', 'The gateway’s log says more.'],
  503: (problem) => [
    problem.limit_name === 'video-look-time' ? 'The gateway took too long to look at this video' : 'The mesh is not ready', again(problem)],
  504: () => ['The mesh took too long', 'It may be busy. Try again in a moment.'],
  507: () => ['The gateway has no room for this', 'Remove videos that are no longer needed.'],
};

/** Counts of bytes as people read them; small ones stay. */
const readable = (text) => text?.replace(/\b(\d{4,}) bytes\b/g, (_, count) => bytes(Number(count)));

/** The limit that was exceeded, its value only where the detail does not say it. */
function limitWords({ limit, limit_name: name }, detail) {
  if (limit === undefined) return null;
  const value = typeof limit === 'number' && name?.endsWith('bytes') ? bytes(limit) : String(limit);
  if (!name) return detail.includes(value) ? null : `Limit: ${value}.`;
  return detail.includes(value) ? `Limit: ${name}.` : `Limit ${name}: ${value}.`;
}

const polished = (text) => (text ? `${text[0].toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}` : text);

/** `{title, detail, advice}` of an error. */
export function explain(error) {
  if (!(error instanceof Problem)) return { title: error.title ?? 'Something went wrong on this page', detail: error.message, advice: null };
  const [title, advice] = (words[error.status] ?? (() => [error.title || `The gateway answered ${error.status}`, null]))(error);
  const said = readable(error.detail || error.title) ?? '';
  const detail = error.status === 0 ? null : [
    polished(said), error.field && !said.includes(`'${error.field}'`) && `Field: ${error.field}.`, limitWords(error, said),
  ].filter(Boolean).join(' ');
  return { title, detail: detail || null, advice };
}

/** One line, for places that have room for no more. */
export function sentence(error) {
  const { title, detail } = explain(error);
  return [`${title}.`, detail].filter(Boolean).join(' ');
}
