// Draws boxes, labels, trails, zones and lines in pixels of the frame, on a canvas of any size.
import { areaColour, colourOfDetection, colourOf } from './colours.js';

const font = '600 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const labelHeight = 18;
const longestLabel = 40;
/** Of more things than this, labels that would cover others are left out. */
const crowd = 24;

/** Of a detection: its track, its label, and what a classifier says of it if that is something else. */
export function caption(detection) {
  const named = detection.classes?.[0];
  const parts = [
    detection.track_id === undefined ? null : `#${detection.track_id}`,
    named && named.label !== detection.label ? `${detection.label}: ${named.label}` : detection.label,
  ].filter(Boolean);
  const text = `${parts.join(' ')} · ${Math.round((named?.confidence ?? detection.confidence) * 100)} %`;
  return text.length > longestLabel ? `${text.slice(0, longestLabel - 1)}…` : text;
}

function box(context, scale, detection, isChosen, isFaint) {
  const { x, y, width, height } = detection.box;
  const colour = colourOfDetection(detection);
  context.globalAlpha = isFaint ? 0.35 : 1;
  context.lineWidth = isChosen ? 4 : 2;
  context.strokeStyle = colour;
  context.strokeRect(x * scale, y * scale, width * scale, height * scale);
  if (isChosen) {
    context.fillStyle = colour;
    context.globalAlpha = 0.2;
    context.fillRect(x * scale, y * scale, width * scale, height * scale);
    context.globalAlpha = 1;
  }
}

/** Labels come after all boxes, above them or, at the top edge, inside; over each other only where they must be shown. */
function label(context, scale, detection, taken, isFaint, isNeeded) {
  const text = caption(detection);
  const { width: room, height: depth } = context.canvas.logical;
  const width = context.measureText(text).width + 10;
  const left = Math.max(0, Math.min(detection.box.x * scale - 1, room - width));
  const top = detection.box.y * scale;
  const bottom = (detection.box.y + detection.box.height) * scale;
  const places = [top - labelHeight, bottom, top, bottom - labelHeight].filter((y) => y >= 0 && y + labelHeight <= depth);
  const isFree = (y) => taken.every((other) =>
    left >= other.left + other.width || left + width <= other.left || y >= other.y + labelHeight || y + labelHeight <= other.y);
  const free = places.find(isFree);
  if (free === undefined && !isNeeded) return;
  const y = free ?? places[0] ?? 0;
  taken.push({ left, width, y });
  context.globalAlpha = isFaint ? 0.35 : 1;
  context.fillStyle = colourOfDetection(detection);
  context.fillRect(left, y, width, labelHeight);
  context.fillStyle = '#ffffff';
  context.fillText(text, left + 5, y + labelHeight / 2 + 0.5);
  context.globalAlpha = 1;
}

function path(context, scale, points) {
  context.beginPath();
  points.forEach(([x, y], index) => (index === 0 ? context.moveTo(x * scale, y * scale) : context.lineTo(x * scale, y * scale)));
}

function trail(context, scale, { track, points }) {
  context.strokeStyle = colourOf(`track ${track}`);
  context.lineWidth = 2.5;
  points.slice(1).forEach((point, index) => {
    context.globalAlpha = 0.15 + 0.85 * (index + 1) / points.length;
    path(context, scale, [points[index], point]);
    context.stroke();
  });
  context.globalAlpha = 1;
}

function tag(context, text, x, y) {
  const width = context.measureText(text).width + 10;
  const left = Math.max(0, Math.min(x - width / 2, context.canvas.logical.width - width));
  const top = Math.max(0, Math.min(y - labelHeight / 2, context.canvas.logical.height - labelHeight));
  context.fillStyle = areaColour;
  context.fillRect(left, top, width, labelHeight);
  context.fillStyle = '#1c1300';
  context.fillText(text, left + 5, top + labelHeight / 2 + 0.5);
}

function corners(context, scale, points, chosen) {
  context.strokeStyle = '#1c1300';
  points.forEach((point) => {
    const isChosen = chosen && point[0] === chosen[0] && point[1] === chosen[1];
    context.fillStyle = isChosen ? '#ffffff' : areaColour;
    context.lineWidth = isChosen ? 3 : 1;
    context.beginPath();
    context.arc(point[0] * scale, point[1] * scale, isChosen ? 8 : 5, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  });
}

function zone(context, scale, { name, points }, note, { isEdited, corner }) {
  path(context, scale, points);
  context.closePath();
  context.globalAlpha = 0.15;
  context.fillStyle = areaColour;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = areaColour;
  context.lineWidth = 2;
  context.stroke();
  if (isEdited) corners(context, scale, points, corner);
  // At its highest corner, where it hides least of what is inside.
  const [x, y] = points.reduce((highest, point) => (point[1] < highest[1] ? point : highest));
  tag(context, note ? `${name}: ${note}` : name, x * scale, y * scale - labelHeight / 2);
}

/** The arrow shows which way is forward: from its left side to its right one, seen from `from` to `to`. */
function line(context, scale, { name, from, to }, note, { isEdited, corner }) {
  context.strokeStyle = areaColour;
  context.lineWidth = 3;
  path(context, scale, [from, to]);
  context.stroke();
  const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const along = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const across = [-along[1], along[0]];
  const place = (forward, side) => [
    middle[0] * scale + across[0] * forward + along[0] * side, middle[1] * scale + across[1] * forward + along[1] * side];
  context.lineWidth = 2;
  path(context, 1, [place(0, 0), place(22, 0)]);
  context.stroke();
  path(context, 1, [place(15, -5), place(22, 0), place(15, 5)]);
  context.stroke();
  if (isEdited) corners(context, scale, [from, to], corner);
  const [x, y] = place(-18, 0);
  tag(context, note ? `${name}: ${note}` : name, x, y);
}

function draft(context, scale, { points, cursor }) {
  context.strokeStyle = areaColour;
  context.lineWidth = 2;
  context.setLineDash([6, 4]);
  path(context, scale, cursor ? [...points, cursor] : points);
  context.stroke();
  context.setLineDash([]);
  corners(context, scale, points);
  if (!cursor) return;
  context.lineWidth = 1.5;
  for (const [dx, dy] of [[12, 0], [0, 12]]) {
    path(context, 1, [
      [cursor[0] * scale - dx, cursor[1] * scale - dy], [cursor[0] * scale + dx, cursor[1] * scale + dy]]);
    context.stroke();
  }
}

/**
 * @param scene `{detections?, chosen?, trails?, areas?: {zones, lines}, notes?: Map of area name to text,
 *   isEdited?, corner?: the chosen one, draft?}`
 * @param scale CSS pixels for one pixel of the frame
 */
export function drawScene(context, scale, scene) {
  const { zones = [], lines = [] } = scene.areas ?? {};
  context.font = font;
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  zones.forEach((area) => zone(context, scale, area, scene.notes?.get(area.name), scene));
  lines.forEach((area) => line(context, scale, area, scene.notes?.get(area.name), scene));
  scene.trails?.forEach((each) => trail(context, scale, each));
  const detections = scene.detections ?? [];
  const isFaint = (index) => scene.chosen !== undefined && scene.chosen !== null && scene.chosen !== index;
  detections.forEach((detection, index) => box(context, scale, detection, scene.chosen === index, isFaint(index)));
  const taken = [];
  // The chosen one comes first: it is the one that is looked at.
  const order = detections.map((_, index) => index).sort((a, b) => (b === scene.chosen) - (a === scene.chosen));
  order.forEach((index) => label(
    context, scale, detections[index], taken, isFaint(index), detections.length <= crowd || scene.chosen === index));
  if (scene.draft) draft(context, scale, scene.draft);
}
