// The corners of zones and the ends of lines, in the order in which a keyboard goes through them.

/** `[{area, what, point, move(point)}]`; `what` says in words which one it is. */
export function cornersOf({ zones = [], lines = [] }) {
  return [
    ...zones.flatMap((zone) => zone.points.map((point, index) => ({
      area: zone, what: `corner ${index + 1} of ${zone.points.length} of ${zone.name}`, point,
      move: (moved) => { zone.points = zone.points.with(index, moved); },
    }))),
    ...lines.flatMap((line) => [
      { area: line, what: `start of ${line.name}`, point: line.from, move: (moved) => { line.from = moved; } },
      { area: line, what: `end of ${line.name}`, point: line.to, move: (moved) => { line.to = moved; } },
    ]),
  ];
}

/** A place in pixels of the frame, as it is told. */
export const placeWords = ([x, y]) => `${Math.round(x)}, ${Math.round(y)}`;
