// Draws boxes, labels, trails, zones and lines in pixels of the frame, on a canvas of any size.
import { areaColour, colourOfDetection, colourOf } from './colours.js';
import { clamp, percent } from './format.js';

const family = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
/** Of the texts, in the order in which they are tried: the smaller ones where there is no room. */
const sizes = [12, 10];
const fontOf = (size) => `600 ${size}px ${family}`;
const labelHeight = 18;
const heightOf = (size) => size + 6;
const longestWord = 24;

const short = (text) => (text.length > longestWord ? `${text.slice(0, longestWord - 1)}…` : text);

/** Of ImageNet's synonyms the first. */
const firstOf = (label) => label.split(',')[0];

/** Of a detection, long and brief: its track, its label, and what a classifier says of it if that is something else. */
export function captions(detection) {
  const named = detection.classes?.[0];
  const brief = [
    detection.track_id === undefined ? null : `#${detection.track_id}`, short(detection.label), percent(detection.confidence),
  ].filter(Boolean).join(' ');
  return named && named.label !== detection.label
    ? [`${brief} / ${short(firstOf(named.label))} ${percent(named.confidence)}`, brief] : [brief];
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

const shared = (one, other) =>
  Math.max(0, Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left))
  * Math.max(0, Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top));

/** Inside of a large box a label hides little of what it is about. */
const isLarge = (box, { width, height }) => box.width >= width && box.width * box.height >= 8 * width * height;

/** Where a label touches its box, best first. */
function placesAt(box, { width, height }, room) {
  const [right, bottom] = [box.left + box.width, box.top + box.height];
  const places = [
    [box.left, box.top - height], [box.left, bottom], [right - width, box.top - height], [right - width, bottom],
    [right, box.top], [box.left - width, box.top], [right, bottom - height], [box.left - width, bottom - height],
    [box.left, box.top], [box.left, bottom - height], [right - width, box.top], [right - width, bottom - height],
  ];
  return places.map(([left, top]) => ({
    left: clamp(left, 0, room.width - width), top: clamp(top, 0, room.height - height), width, height,
  })).filter((place) => place.left <= right && place.left + width >= box.left && place.top <= bottom && place.top + height >= box.top);
}

/**
 * As in the gateway's own pictures: a label touches its box and covers no other one; where there is no room it is smaller,
 * then brief, and then left out, unless it is the chosen one's.
 */
function label(context, scale, detection, { taken, boxes, isFaint, isNeeded }) {
  const room = context.canvas.logical;
  const own = placeOf(detection.box, scale);
  let best = null;
  const texts = captions(detection);
  for (const text of texts) {
    // A long one would hide too much of a small picture.
    const widest = text === texts.at(-1) ? room.width : room.width / 2;
    for (const size of sizes) {
      context.font = fontOf(size);
      const plate = { width: Math.ceil(context.measureText(text).width) + 10, height: heightOf(size) };
      if (plate.width > widest || plate.height > room.height) continue;
      for (const place of placesAt(own, plate, room)) {
        const isOnText = taken.some((other) => shared(place, other) > 0);
        if (isOnText && !isNeeded) continue;
        const cost = boxes.filter((other) => !isLarge(other, plate)).reduce((sum, other) => sum + shared(place, other), 0)
          + (isOnText ? plate.width * plate.height : 0);
        if (!best || cost < best.cost) best = { place, cost, text, size };
        if (cost === 0) break;
      }
      if (best?.cost === 0) break;
    }
    if (best?.cost === 0) break;
  }
  if (!best || (!isNeeded && best.cost * 2 > best.place.width * best.place.height)) return;
  const { left, top, width, height } = best.place;
  taken.push(best.place);
  context.globalAlpha = isFaint ? 0.35 : 1;
  context.fillStyle = colourOfDetection(detection);
  context.fillRect(left, top, width, height);
  context.fillStyle = '#ffffff';
  context.font = fontOf(best.size);
  context.fillText(best.text, left + 5, top + height / 2 + 0.5);
  context.globalAlpha = 1;
}

const placeOf = ({ x, y, width, height }, scale) => ({ left: x * scale, top: y * scale, width: width * scale, height: height * scale });

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
 * A scene of a frame whose pixels are not square, as one of square pixels.
 * @param aspect of a pixel, width to height
 */
export function widened(scene, aspect) {
  if (aspect === 1) return scene;
  const point = ([x, y]) => [x * aspect, y];
  const points = (each) => ({ ...each, points: each.points.map(point) });
  const { areas, corner, draft: drawn } = scene;
  return {
    ...scene,
    detections: scene.detections?.map((each) => ({
      ...each, box: { ...each.box, x: each.box.x * aspect, width: each.box.width * aspect },
    })),
    trails: scene.trails?.map(points),
    areas: areas && {
      zones: areas.zones?.map(points),
      lines: areas.lines?.map((each) => ({ ...each, from: point(each.from), to: point(each.to) })),
    },
    corner: corner && point(corner),
    draft: drawn && { ...points(drawn), cursor: drawn.cursor && point(drawn.cursor) },
  };
}

/**
 * @param scene `{detections?, chosen?, trails?, areas?: {zones, lines}, notes?: Map of area name to text,
 *   isEdited?, corner?: the chosen one, draft?}`
 * @param scale CSS pixels for one pixel of the frame
 */
export function drawScene(context, scale, scene) {
  const { zones = [], lines = [] } = scene.areas ?? {};
  context.font = fontOf(sizes[0]);
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  zones.forEach((area) => zone(context, scale, area, scene.notes?.get(area.name), scene));
  lines.forEach((area) => line(context, scale, area, scene.notes?.get(area.name), scene));
  scene.trails?.forEach((each) => trail(context, scale, each));
  const detections = scene.detections ?? [];
  const isFaint = (index) => scene.chosen !== undefined && scene.chosen !== null && scene.chosen !== index;
  detections.forEach((detection, index) => box(context, scale, detection, scene.chosen === index, isFaint(index)));
  const taken = [];
  const boxes = detections.map((detection) => placeOf(detection.box, scale));
  // The chosen one comes first: it is the one that is looked at. Then those that are certain.
  const order = detections.map((_, index) => index).sort((one, other) =>
    (other === scene.chosen) - (one === scene.chosen) || detections[other].confidence - detections[one].confidence);
  order.forEach((index) => label(context, scale, detections[index], {
    taken, boxes, isFaint: isFaint(index), isNeeded: scene.chosen === index,
  }));
  if (scene.draft) draft(context, scale, scene.draft);
}
