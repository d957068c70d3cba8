// Server-sent events over fetch, because EventSource can carry no token.
import { open } from './api.js';
import { Problem } from './problems.js';

const firstWait = 500;
const longestWait = 8000;

/** Splits text into events `{id, event, data}` as they become whole (HTML, section 9.2.6). */
export class EventParser {
  #rest = '';
  #event = { data: [] };
  lastID = '';

  *add(text) {
    this.#rest += text;
    for (;;) {
      const end = this.#rest.search(/\r\n|\n|\r(?!$)/);
      if (end < 0) return;
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + (this.#rest.startsWith('\r\n', end) ? 2 : 1));
      if (line === '') {
        if (this.#event.data.length > 0) {
          yield { id: this.lastID, event: this.#event.name ?? 'message', data: this.#event.data.join('\n') };
        }
        this.#event = { data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') this.#event.data.push(value);
      else if (field === 'event') this.#event.name = value;
      else if (field === 'id' && !value.includes('\0')) this.lastID = value;
    }
  }
}

/**
 * Calls `on[event](value)` with each event's JSON until `end` comes, the signal aborts or the gateway says no.
 * A connection that breaks is made anew from the last event on.
 */
export async function follow(path, on, { signal, lastID = '', onBreak, onOpen } = {}) {
  let wait = firstWait;
  for (;;) {
    try {
      const headers = { Accept: 'text/event-stream', ...(lastID ? { 'Last-Event-ID': lastID } : {}) };
      const response = await open(path, { headers, signal, cache: 'no-store' });
      onOpen?.();
      const parser = new EventParser();
      parser.lastID = lastID;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        for (const { id, event, data } of parser.add(value)) {
          lastID = id;
          wait = firstWait;
          on[event]?.(JSON.parse(data));
          if (event === 'end') { reader.cancel().catch(() => {}); return; }
        }
      }
    } catch (error) {
      if (signal?.aborted) return;
      const passing = !(error instanceof Problem) || error.status === 0 || error.status === 429 || error.status === 503;
      if (!passing) throw error;
    }
    if (signal?.aborted) return;
    onBreak?.();
    await new Promise((resolve) => { setTimeout(resolve, wait); });
    wait = Math.min(wait * 2, longestWait);
  }
}
