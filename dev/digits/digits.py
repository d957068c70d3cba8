"""The 5,000 handwritten digits of OpenCV's sample picture, split once and for all.

`digits.png` holds 50 rows of 100 digits, 20x20 pixels each, light ink on black; five rows a class.
400 digits a class are for training, 100 a class are held out. The split depends on SPLIT_SEED only.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

PICTURE = Path("/usr/share/doc/opencv-doc/examples/data/digits.png")
CELL = 20
CLASSES = 10
PER_CLASS = 500
HELD_OUT_PER_CLASS = 100
SPLIT_SEED = 20261125


@dataclass(frozen=True)
class Digits:
    """images: [n, 20, 20] bytes, light ink on black. labels: [n], 0 to 9."""

    images: np.ndarray
    labels: np.ndarray

    def of_class(self, label):
        return self.images[self.labels == label]


def load(picture=PICTURE):
    """Returns (training digits, held-out digits)."""
    grey = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise SystemExit(f"{picture}: not found; install Debian's package opencv-doc")
    if grey.shape != (CLASSES * PER_CLASS // 100 * CELL, 100 * CELL):
        raise SystemExit(f"{picture}: unexpected size {grey.shape[1]}x{grey.shape[0]}")
    cells = grey.reshape(50, CELL, 100, CELL).swapaxes(1, 2).reshape(-1, CELL, CELL)
    labels = np.repeat(np.arange(CLASSES), PER_CLASS)
    random = np.random.default_rng(SPLIT_SEED)
    held_out = np.zeros(len(cells), bool)
    for label in range(CLASSES):
        members = np.flatnonzero(labels == label)
        held_out[random.permutation(members)[:HELD_OUT_PER_CLASS]] = True
    return (
        Digits(cells[~held_out], labels[~held_out]),
        Digits(cells[held_out], labels[held_out]),
    )
