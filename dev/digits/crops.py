"""What classifiers of digits are trained on: crops of generated scenes, and clean digits."""

import cv2
import numpy as np

import scenes

SIDE = 32
COPIES_OF_CLEAN = 8


def crop(image, box, low=0.0, high=0.0, random=None):
    """The box, stretched to the classifier's input; each side moves out by low...high of the box's longer side."""
    x, y, width, height = (float(v) for v in box)
    reach = max(width, height)
    left, top, right, bottom = random.uniform(low, high, 4) * reach if random else (0, 0, 0, 0)
    x0, y0 = max(round(x - left), 0), max(round(y - top), 0)
    x1 = min(max(round(x + width + right), x0 + 2), image.shape[1])
    y1 = min(max(round(y + height + bottom), y0 + 2), image.shape[0])
    x0, y0 = min(x0, x1 - 1), min(y0, y1 - 1)
    area = random is not None and random.random() < 0.3
    return cv2.resize(image[y0:y1, x0:x1], (SIDE, SIDE), interpolation=cv2.INTER_AREA if area else cv2.INTER_LINEAR)


def of_scenes(seed, count, source, per_digit):
    images, labels = [], []
    for index in range(count):
        scene = scenes.make(seed, index, source, clutter=False)
        random = np.random.default_rng([seed, index, 1])
        for box, label in zip(scene.boxes, scene.labels):
            for _ in range(per_digit):
                images.append(crop(scene.image, box, -0.06, 0.25, random))
                labels.append(label)
    return images, labels


def of_cells(seed, source):
    """The cells of digits.png themselves: whole, shifted or cropped, dark on light as well."""
    random = np.random.default_rng([seed, 0, 2])
    images, labels = [], []
    for image, label in zip(source.images, source.labels):
        ys, xs = np.nonzero(image > 90)
        tight = (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1)
        for copy in range(COPIES_OF_CLEAN):
            if copy == 0:
                picture = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            elif copy % 3 == 1:
                picture = crop(image, tight, -0.05, 0.3, random)
            else:
                turn = cv2.getRotationMatrix2D((9.5, 9.5), random.normal(0, 7), random.uniform(0.85, 1.12))
                turn[:, 2] += random.uniform(-1.5, 1.5, 2)
                turn[0, 1] += random.uniform(-0.15, 0.15)
                picture = cv2.resize(cv2.warpAffine(image, turn, (20, 20)), (SIDE, SIDE))
            if copy >= COPIES_OF_CLEAN // 2:
                picture = 255 - picture
            images.append(picture)
            labels.append(label)
    return images, labels
