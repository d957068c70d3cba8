"""What scenes are drawn upon: patterns in brightness, without any digit."""

import cv2
import numpy as np


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
