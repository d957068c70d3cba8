"""Scenes with handwritten digits on varied backgrounds, with exact ground truth.

A scene depends on (seed, index) only. Ground truth is the tight box of a digit's ink, in pixels.
The size of a digit is the longer side of that box, MIN_SIZE to MAX_SIZE pixels (handwriting.py).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from backgrounds import background, normalised, smooth_noise
from clutter import add_clutter, add_walls
from handwriting import INK, blend, random_number, random_style
from shades import ink_brightness, tint

PLACEMENT_ATTEMPTS = 12
# Share of numbers with two to five digits; the others are single digits.
ROWS_SHARE = 0.5
# Share of scenes in which things lie about that are no digits.
CLUTTERED_SHARE = 0.35
# Where digits cross: share of the smaller one of two boxes that may lie within the other, and of the numbers that are put
# upon an earlier one.
MOST_CROSSING, CROSSING_NUMBERS = 0.7, 0.5


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
