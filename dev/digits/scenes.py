"""Scenes with handwritten digits on varied backgrounds, with exact ground truth.

A scene depends on (seed, index) only. Ground truth is the tight box of a digit's ink, in pixels.
The size of a digit is the longer side of that box, MIN_SIZE to MAX_SIZE pixels.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

MIN_SIZE = 16
MAX_SIZE = 96
# Least difference in brightness between ink and the nearest shade of its background, of 255.
MIN_CONTRAST = 45
# Ink that covers less than this share of a pixel does not count as ink for the box.
INK = 0.35
PLACEMENT_ATTEMPTS = 12
# Share of numbers with two to five digits; the others are single digits.
ROWS_SHARE = 0.5
# Share of scenes in which things lie about that are no digits, and the most of them.
CLUTTERED_SHARE = 0.35
MOST_CLUTTER = 8
# Where digits cross: share of the smaller one of two boxes that may lie within the other, and of the numbers that are put
# upon an earlier one.
MOST_CROSSING, CROSSING_NUMBERS = 0.7, 0.5
# Walls of a scene that has any, and their thickness in pixels.
MOST_WALLS, WALL_SIZES = 3, (5, 60)
# Letters and marks that nobody takes for a digit.
LETTERS = "EFHKLMNPRUVWXdfhkmnprtuvwx#%&@+*=?"


@dataclass
class Scene:
    """image: grey [height, width] or BGR [height, width, 3] bytes. boxes: [n, 4] as x, y, width, height.

    numbers: [n], which digits belong together; they are listed from left to right.
    shown: [n], share of each digit's ink that nothing lies upon.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray = None
    shown: np.ndarray = None


@dataclass
class Style:
    """What the digits of one number have in common."""

    size: float
    angle: float
    shear: float
    threshold: float
    softness: float
    aspect: float


@dataclass
class Stamp:
    """A digit ready to be placed: coverage [h, w] in 0...1, cropped to its ink plus a faint rim."""

    coverage: np.ndarray
    box: tuple  # x, y, width, height of the ink inside `coverage`
    label: int = field(default=0)


def random_style(random, scale):
    return Style(
        size=scale * float(np.exp(random.uniform(np.log(MIN_SIZE + 1), np.log(MAX_SIZE - 3)))),
        angle=float(random.normal(0, 5)),
        shear=float(random.uniform(-0.2, 0.2)),
        threshold=float(random.uniform(0.3, 0.56)),
        softness=float(random.uniform(0.7, 1.6)),
        aspect=float(random.uniform(0.85, 1.2)),
    )


def stamp(digit, label, style):
    """Draws a 20x20 digit at the size, slant and stroke width of `style`."""
    rows = np.flatnonzero(digit.max(1) > 90)
    columns = np.flatnonzero(digit.max(0) > 90)
    height = rows[-1] - rows[0] + 1
    width = columns[-1] - columns[0] + 1
    scale = style.size / max(height, width)
    angle = np.deg2rad(style.angle)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[style.aspect, style.shear], [0, 1]]) * scale
    side = int(np.ceil(1.5 * style.size)) + 8
    centre = np.array([(columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2])
    shift = side / 2 - matrix @ centre
    warped = cv2.warpAffine(
        digit.astype(np.float32) / 255,
        np.column_stack([matrix, shift]),
        (side, side),
        flags=cv2.INTER_LINEAR,
    )
    if scale > 1.5:
        warped = cv2.GaussianBlur(warped, (0, 0), 0.42 * scale)
    gain = max(1.7, scale / style.softness)
    threshold = max(style.threshold, 0.5 / gain)
    coverage = np.clip((warped - threshold) * gain + 0.5, 0, 1)
    ink = coverage > INK
    rows = np.flatnonzero(ink.any(1))
    columns = np.flatnonzero(ink.any(0))
    if len(rows) == 0 or len(columns) == 0:
        return None
    rim = 3
    top, left = max(rows[0] - rim, 0), max(columns[0] - rim, 0)
    box = (columns[0] - left, rows[0] - top, columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
    return Stamp(coverage[top : rows[-1] + 1 + rim, left : columns[-1] + 1 + rim], box, int(label))


def smooth_noise(random, width, height, grain):
    """Noise with features of about `grain` pixels, in 0...1."""
    small = random.random((max(2, int(height / grain) + 2), max(2, int(width / grain) + 2)), dtype=np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def flat(random, width, height):
    return np.full((height, width), random.random(), np.float32)


def gradient(random, width, height):
    x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
    angle = random.uniform(0, 2 * np.pi)
    if random.random() < 0.3:
        return np.hypot(x - random.uniform(-1, 1), y - random.uniform(-1, 1))
    return x * np.cos(angle) + y * np.sin(angle)


def grain(random, width, height):
    return random.random((height, width), dtype=np.float32)


def stripes(random, width, height):
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    angle = random.uniform(0, np.pi)
    period = random.uniform(6, 60)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    return np.clip(wave * random.choice([0.5, 5.0]), -1, 1)


def checker(random, width, height):
    size = random.integers(6, 48)
    x, y = np.arange(width) // size, np.arange(height) // size
    return ((x[None, :] + y[:, None]) % 2).astype(np.float32)


def cloud(random, width, height):
    total = np.zeros((height, width), np.float32)
    for step, grain_size in enumerate((64, 32, 16, 8, 4)):
        total += smooth_noise(random, width, height, grain_size) * random.uniform(0.5, 1) / (step + 1)
    return total


def wood(random, width, height):
    rings = smooth_noise(random, width, height, random.uniform(40, 120)) * random.uniform(4, 14)
    return np.sin(rings * np.pi) + 0.3 * smooth_noise(random, width, height, 3)


def shapes(random, width, height):
    canvas = np.full((height, width), random.random(), np.float32)
    for _ in range(random.integers(4, 14)):
        centre = (int(random.integers(0, width)), int(random.integers(0, height)))
        shade = float(random.random())
        kind = random.integers(0, 3)
        reach = random.integers(12, 90, 2)
        if kind == 0:
            angle = float(random.uniform(0, 180))
            cv2.ellipse(canvas, centre, (int(reach[0]), int(reach[1])), angle, 0, 360, shade, -1)
        elif kind == 1:
            corner = (centre[0] + int(reach[0]), centre[1] + int(reach[1]))
            cv2.rectangle(canvas, centre, corner, shade, -1)
        else:
            end = (int(random.integers(0, width)), int(random.integers(0, height)))
            cv2.line(canvas, centre, end, shade, int(random.integers(2, 16)))
    blur = random.uniform(0.8, 10)
    return cv2.GaussianBlur(canvas, (0, 0), blur)


BACKGROUNDS = (flat, gradient, grain, stripes, checker, cloud, wood, shapes)


def background(random, width, height):
    """Returns (brightness [height, width] in 0...255, darkest, brightest)."""
    pattern = BACKGROUNDS[random.integers(0, len(BACKGROUNDS))](random, width, height)
    if random.random() < 0.3:
        other = BACKGROUNDS[random.integers(0, len(BACKGROUNDS))](random, width, height)
        pattern = normalised(pattern) + random.uniform(0.2, 0.8) * normalised(other)
    spread = random.uniform(8, 120)
    low = random.uniform(0, 255 - spread)
    if pattern.max() - pattern.min() < 1e-6:
        low, spread = random.uniform(0, 255), 0
    return low + spread * normalised(pattern), low, low + spread


def normalised(pattern):
    low, high = float(pattern.min()), float(pattern.max())
    return (pattern - low) / max(high - low, 1e-6)


def ink_brightness(random, low, high):
    """A brightness that differs by MIN_CONTRAST or more from all of low...high."""
    below, above = low - MIN_CONTRAST, 255 - (high + MIN_CONTRAST)
    dark = below >= 0 and (above < 0 or random.random() < 0.5)
    return random.uniform(0, below) if dark else random.uniform(high + MIN_CONTRAST, 255)


def letters(random, mask, x, y):
    text = "".join(random.choice(list(LETTERS), random.integers(1, 6)))
    font = int(random.choice([cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX]))
    font |= int(random.choice([0, cv2.FONT_ITALIC]))
    size = float(np.exp(random.uniform(np.log(0.5), np.log(3))))
    cv2.putText(mask, text, (x, y), font, size, 255, int(random.integers(1, 2 + 2 * size)), cv2.LINE_AA)


def long_line(random, mask, x, y):
    angle, reach = random.uniform(0, 2 * np.pi), random.uniform(120, 400)
    end = (int(x + reach * np.cos(angle)), int(y + reach * np.sin(angle)))
    cv2.line(mask, (x, y), end, 255, int(random.integers(1, 8)), cv2.LINE_AA)


def polygon(random, mask, x, y):
    corners = random.integers(3, 7)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    reach = random.uniform(8, 70) * random.uniform(0.6, 1, corners)
    points = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1).astype(np.int32)
    if random.random() < 0.6:
        cv2.fillPoly(mask, [points], 255, cv2.LINE_AA)
    else:
        cv2.polylines(mask, [points], True, 255, int(random.integers(1, 5)), cv2.LINE_AA)


def spot(random, mask, x, y):
    axes = tuple(int(v) for v in random.integers(9, 40, 2))
    cv2.ellipse(mask, (x, y), axes, float(random.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)


def grid_lines(random, mask, x, y):
    cell, count = int(random.integers(8, 40)), int(random.integers(2, 6))
    thickness = int(random.integers(1, 4))
    for i in range(count + 1):
        cv2.line(mask, (x, y + i * cell), (x + count * cell, y + i * cell), 255, thickness)
        cv2.line(mask, (x + i * cell, y), (x + i * cell, y + count * cell), 255, thickness)


CLUTTER = (letters, letters, long_line, polygon, spot, grid_lines)


def add_clutter(random, image, boxes, low, high):
    """Draws things that are no digits, none of which touches a box. `image` is float, grey or BGR."""
    for _ in range(random.integers(1, MOST_CLUTTER + 1)):
        thing = CLUTTER[random.integers(0, len(CLUTTER))]
        mask = np.zeros(image.shape[:2], np.uint8)
        thing(random, mask, int(random.integers(0, mask.shape[1])), int(random.integers(0, mask.shape[0])))
        if any(mask[max(y - 3, 0) : y + h + 3, max(x - 3, 0) : x + w + 3].any() for x, y, w, h in boxes):
            continue
        cover = mask.astype(np.float32) / 255
        ink = np.float32(ink_brightness(random, low, high))
        if image.ndim == 3:
            cover, ink = cover[..., None], ink + tint(random, random.uniform(0, 90))
        image += cover * (ink - image)


def wall(random, boxes, width, height):
    """Where a wall hides what is behind it: a bar from edge to edge, or a patch, most of them upon a digit."""
    x, y = random.uniform(0, width), random.uniform(0, height)
    if boxes and random.random() < 0.8:
        bx, by, bw, bh = boxes[random.integers(0, len(boxes))]
        x, y = bx + bw * random.uniform(-0.2, 1.2), by + bh * random.uniform(-0.2, 1.2)
    across = float(np.exp(random.uniform(*np.log(WALL_SIZES))))
    along = across * random.uniform(1, 3) if random.random() < 0.3 else 2 * (width + height)
    angle = 90 * random.integers(0, 2) + (random.uniform(-45, 45) if random.random() < 0.3 else random.normal(0, 2))
    mask = np.zeros((height, width), np.uint8)
    corners = cv2.boxPoints(((x, y), (along, across), float(angle)))
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 255, cv2.LINE_AA)
    return mask


def add_walls(random, image, boxes):
    """Draws walls over `image` (float, grey or BGR) and returns the pixels that they cover."""
    height, width = image.shape[:2]
    covered = np.zeros((height, width), bool)
    for _ in range(random.integers(1, MOST_WALLS + 1)):
        mask = wall(random, boxes, width, height)
        shade = random.uniform(0, 255) + random.uniform(0, 30) * (smooth_noise(random, width, height, 24) - 0.5)
        cover = mask.astype(np.float32) / 255
        if image.ndim == 3:
            cover, shade = cover[..., None], shade[..., None] + tint(random, random.uniform(0, 60))
        image += cover * (shade.astype(np.float32) - image)
        covered |= mask > 127
    return covered


class Canvas:
    """Places digits so that their boxes keep apart, or cross, and remembers the ink of each pixel."""

    def __init__(self, width, height, gap, crossing=False):
        self.width, self.height, self.gap, self.crossing = width, height, gap, crossing
        self.boxes, self.labels, self.numbers, self.placed = [], [], [], []

    def is_free(self, x, y, width, height):
        if x < 1 or y < 1 or x + width > self.width - 1 or y + height > self.height - 1:
            return False
        if self.crossing:
            return all(shared_part((x, y, width, height), box) <= MOST_CROSSING for box in self.boxes)
        gap = self.gap
        return all(
            x >= bx + bw + gap or bx >= x + width + gap or y >= by + bh + gap or by >= y + height + gap
            for bx, by, bw, bh in self.boxes
        )

    def place(self, stamps, positions, ink):
        number = self.numbers[-1] + 1 if self.numbers else 0
        for mark, (x, y) in zip(stamps, positions):
            self.numbers.append(number)
            self.boxes.append((x, y, mark.box[2], mark.box[3]))
            self.labels.append(mark.label)
            self.placed.append((mark, x, y, ink))


def shared_part(a, b):
    """Share of the smaller one of two boxes that lies within the other."""
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0) / min(a[2] * a[3], b[2] * b[3])


def random_number(random, digits, style, length, scale):
    """Stamps of a number of `length` digits and their offsets along a slightly uneven line."""
    marks, offsets, cursor = [], [], 0.0
    spacing = random.uniform(0.06, 0.4) * style.size
    slope = np.tan(np.deg2rad(-style.angle))
    for _ in range(length):
        pick = random.integers(0, len(digits.images))
        wobble = Style(**{**style.__dict__, "size": style.size * random.uniform(0.92, 1.04)})
        mark = stamp(digits.images[pick], digits.labels[pick], wobble)
        if mark is None or not MIN_SIZE * scale <= max(mark.box[2:]) <= MAX_SIZE * scale:
            continue
        rise = cursor * slope + random.normal(0, 0.03) * style.size - mark.box[3] / 2
        offsets.append((int(round(cursor)), int(round(rise))))
        marks.append(mark)
        cursor += mark.box[2] + max(2.0, spacing * random.uniform(0.7, 1.3))
    return marks, offsets


def fill(random, canvas, digits, groups, low, high, scale):
    """Puts up to `groups` digits or numbers on the canvas."""
    for _ in range(groups):
        style = random_style(random, scale)
        length = int(random.integers(2, 6)) if random.random() < ROWS_SHARE else 1
        marks, offsets = random_number(random, digits, style, length, scale)
        if not marks:
            continue
        left = min(x for x, _ in offsets)
        right = max(x + m.box[2] for m, (x, _) in zip(marks, offsets))
        top = min(y for _, y in offsets)
        bottom = max(y + m.box[3] for m, (_, y) in zip(marks, offsets))
        if right - left >= canvas.width - 2 or bottom - top >= canvas.height - 2:
            continue
        ink = ink_brightness(random, low, high)
        upon = canvas.crossing and canvas.boxes and random.random() < CROSSING_NUMBERS
        for _ in range(PLACEMENT_ATTEMPTS):
            x = int(random.integers(1 - left, canvas.width - right))
            y = int(random.integers(1 - top, canvas.height - bottom))
            if upon:
                bx, by, width, height = canvas.boxes[random.integers(0, len(canvas.boxes))]
                x = int(random.integers(bx - marks[0].box[2], bx + width + 1)) - offsets[0][0]
                y = int(random.integers(by - marks[0].box[3], by + height + 1)) - offsets[0][1]
            spots = [(x + dx, y + dy) for dx, dy in offsets]
            if all(canvas.is_free(*spot, m.box[2], m.box[3]) for m, spot in zip(marks, spots)):
                canvas.place(marks, spots, ink)
                break


def blend(image, mark, x, y, ink):
    """Draws a stamp so that its ink box begins at x, y. `image` is float, grey or BGR; `ink` likewise."""
    x0, y0 = x - mark.box[0], y - mark.box[1]
    height, width = mark.coverage.shape
    left, top = max(x0, 0), max(y0, 0)
    right, bottom = min(x0 + width, image.shape[1]), min(y0 + height, image.shape[0])
    if right <= left or bottom <= top:
        return
    cover = mark.coverage[top - y0 : bottom - y0, left - x0 : right - x0]
    if image.ndim == 3:
        cover = cover[..., None]
    patch = image[top:bottom, left:right]
    patch += cover * (np.asarray(ink, np.float32) - patch)


def tint(random, strength):
    """A colour shift [3] (BGR) that leaves the brightness as it is."""
    shift = random.uniform(-1, 1, 3) * strength
    return (shift - shift @ np.array([0.114, 0.587, 0.299])).astype(np.float32)


def weather(random, image):
    """Shade, blur, sensor noise and JPEG loss. Takes float, gives bytes."""
    height, width = image.shape[:2]
    if random.random() < 0.4:
        shade = 1 + random.uniform(0.02, 0.12) * (2 * smooth_noise(random, width, height, 200) - 1)
        image = image * (shade if image.ndim == 2 else shade[..., None])
    if random.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 0.8))
    if random.random() < 0.6:
        image = image + random.uniform(1, 9) * random.standard_normal(image.shape, dtype=np.float32)
    image = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if random.random() < 0.6:
        quality = int(random.integers(40, 95))
        packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = cv2.imdecode(packed, cv2.IMREAD_UNCHANGED)
    return image


def make(
    seed,
    index,
    digits,
    width=320,
    height=240,
    colour=False,
    groups=None,
    gap=2,
    scale=1.0,
    clutter=True,
    crossing=False,
    walls=False,
):
    """One scene. The same arguments give the same scene.

    A negative gap lets boxes overlap by as many pixels. `scale` multiplies the sizes of the digits, for pictures that
    are reduced before the detector sees them. `crossing` puts digits upon others, `walls` something upon both.
    """
    random = np.random.default_rng([seed, index])
    brightness, low, high = background(random, width, height)
    canvas = Canvas(width, height, gap, crossing)
    fill(random, canvas, digits, groups or int(random.integers(2, 9)), low, high, scale)
    image = brightness.astype(np.float32)
    shifts = {}
    if colour:
        image = image[..., None] + tint(random, random.uniform(0, 60))
    # A stream of its own, so that scenes with and without clutter are otherwise the same.
    litter = np.random.default_rng([seed, index, 9])
    if clutter and litter.random() < CLUTTERED_SHARE:
        add_clutter(litter, image, canvas.boxes, low, high)
    top, counts = np.full((height, width), -1, int), []
    for order, (mark, x, y, ink) in enumerate(canvas.placed):
        if colour:
            if ink not in shifts:
                shifts[ink] = tint(random, random.uniform(0, 90))
            ink = ink + shifts[ink]
        blend(image, mark, x, y, ink)
        bx, by, wide, high = mark.box
        drawn = mark.coverage[by : by + high, bx : bx + wide] > INK
        top[y : y + high, x : x + wide][drawn] = order
        counts.append(drawn.sum())
    if walls:
        top[add_walls(np.random.default_rng([seed, index, 10]), image, canvas.boxes)] = -1
    shown = np.bincount(top[top >= 0], minlength=len(counts)) / np.maximum(counts, 1)
    return Scene(
        weather(random, np.ascontiguousarray(image)),
        np.array(canvas.boxes, np.float32).reshape(-1, 4),
        np.array(canvas.labels, np.int64),
        np.array(canvas.numbers, np.int64),
        shown,
    )


def make_empty(seed, index, width=320, height=240):
    """A grey scene without any digit, of stronger contrast than scenes with digits have."""
    random = np.random.default_rng([seed, index])
    image = background(random, width, height)[0]
    low = random.uniform(0, 150)
    image = low + random.uniform(60, 255 - low) * normalised(image.astype(np.float32))
    for _ in range(2):
        middle = random.uniform(50, 205)
        add_clutter(random, image, [], middle, middle)
    return Scene(weather(random, image), np.zeros((0, 4), np.float32), *np.zeros((2, 0), np.int64), np.zeros(0))
