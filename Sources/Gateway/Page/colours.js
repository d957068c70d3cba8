// A colour for each label or track, the same every time; dark enough for white text, bright enough on pictures.

const palette = ['#0b7a8f', '#b8500a', '#5b4fc7', '#2c7d32', '#b3266b', '#8a6100', '#1f5fbf', '#9a2d20', '#4e6b1f', '#7d3fa8'];

export function colourOf(key) {
  let hash = 2166136261;
  for (const letter of String(key)) hash = Math.imul(hash ^ letter.codePointAt(0), 16777619);
  return palette[((hash ^ (hash >>> 15)) >>> 0) % palette.length];
}

export const colourOfDetection = (detection) =>
  colourOf(detection.track_id === undefined ? `label ${detection.label}` : `track ${detection.track_id}`);

export const areaColour = '#ffb000';
