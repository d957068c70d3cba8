"""Digits as they are written: their size, slant and stroke width, and how they are drawn."""

from dataclasses import dataclass, field

import cv2
import numpy as np

MIN_SIZE = 16
MAX_SIZE = 96
# Ink that covers less than this share of a pixel does not count as ink for the box.
INK = 0.35


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
