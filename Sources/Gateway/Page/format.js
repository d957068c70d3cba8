// Numbers as people read them.

export const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

export const milliseconds = (value) =>
  value === undefined || value === null || Number.isNaN(value) ? '–'
    : value >= 10_000 ? `${(value / 1000).toFixed(1)} s`
      : value >= 100 ? `${Math.round(value)} ms` : `${value.toFixed(value >= 10 ? 1 : 2)} ms`;

export const percent = (value) => `${Math.round(value * 100)} %`;

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Seconds as `1:02.5` or `1:02:03`. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}`
    : `${minutes}:${two(rest)}.${Math.floor((seconds - whole) * 10)}`;
}

/** Seconds that are left, roughly. */
export const roughly = (seconds) =>
  seconds < 1 ? 'less than a second' : seconds < 90 ? `${Math.round(seconds)} s`
    : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;

export const rate = (value) => (value >= 100 ? String(Math.round(value)) : value.toFixed(1));

/** In groups of three digits. */
export const number = (value) => value.toLocaleString('en');

export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

export function moment(text) {
  const date = typeof text === 'number' ? new Date(text * (text < 1e11 ? 1000 : 1)) : new Date(text);
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });
}
