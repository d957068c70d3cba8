"""Brightness and colour of what is drawn."""

import numpy as np

# Least difference in brightness between ink and the nearest shade of its background, of 255.
MIN_CONTRAST = 45


def ink_brightness(random, low, high):
    """A brightness that differs by MIN_CONTRAST or more from all of low...high."""
    below, above = low - MIN_CONTRAST, 255 - (high + MIN_CONTRAST)
    dark = below >= 0 and (above < 0 or random.random() < 0.5)
    return random.uniform(0, below) if dark else random.uniform(high + MIN_CONTRAST, 255)


def tint(random, strength):
    """A colour shift [3] (BGR) that leaves the brightness as it is."""
    shift = random.uniform(-1, 1, 3) * strength
    return (shift - shift @ np.array([0.114, 0.587, 0.299])).astype(np.float32)
