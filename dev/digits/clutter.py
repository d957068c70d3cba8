"""Things that are no digits: those that lie about, and walls that hide what is behind them."""

import cv2
import numpy as np

from backgrounds import smooth_noise
from shades import ink_brightness, tint

# The most things of a scene in which any lie about.
MOST_CLUTTER = 8
# Walls of a scene that has any, and their thickness in pixels.
MOST_WALLS, WALL_SIZES = 3, (5, 60)
# Letters and marks that nobody takes for a digit.
LETTERS = "EFHKLMNPRUVWXdfhkmnprtuvwx#%&@+*=?"


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
