"""Measures a detector and a classifier through OpenCV's DNN on held-out digits and 300 held-out scenes."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

import digits
import scenes
from crops import SIDE, crop

SEED = 3
SCENES = 300
STRIDE = 8
INPUT_WIDTH, INPUT_HEIGHT, PAD = 320, 240, 114
LOWEST_SCORE = 0.01
# Of the manifest.
MIN_CONFIDENCE = 0.4
NMS_IOU = 0.45
MATCH_IOU = 0.5
# Where digits cross or are covered, one that shows less of its ink is not to be looked for.
LEAST_SHOWN = 0.5
SIZE_BUCKETS = ((16, 24), (24, 32), (32, 48), (48, 64), (64, 97))
MODELS = Path(__file__).parents[2] / "Sources/framemesh/Resources/models"


def letterbox(image):
    """BGR to the grey input picture, the scale and the offset of the frame in it."""
    height, width = image.shape[:2]
    scale = min(INPUT_WIDTH / width, INPUT_HEIGHT / height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (INPUT_WIDTH - size[0]) // 2, (INPUT_HEIGHT - size[1]) // 2
    picture = np.full((INPUT_HEIGHT, INPUT_WIDTH), PAD, np.uint8)
    resized = image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    picture[top : top + size[1], left : left + size[0]] = cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY)
    return picture, scale, left, top


def decode(grid, lowest=LOWEST_SCORE):
    """[15, H, W] to (boxes [n, 4] in input pixels, scores, classes), best first; as the program's `grid` decoder."""
    objectness = 1 / (1 + np.exp(-grid[0]))
    logits = np.exp(grid[5:] - grid[5:].max(0))
    classes = logits / logits.sum(0)
    score = objectness * classes.max(0)
    rows, columns = np.nonzero(score >= lowest)
    cell = grid[:, rows, columns]
    centre = (np.stack([columns, rows]) + 1 / (1 + np.exp(-cell[1:3]))) * STRIDE
    size = np.exp(cell[3:5]) * STRIDE
    boxes = np.concatenate([centre - size / 2, size]).T
    scores, kinds = score[rows, columns], classes.argmax(0)[rows, columns]
    kept = suppress(boxes, scores, kinds)
    return boxes[kept], scores[kept], kinds[kept]


def suppress(boxes, scores, kinds):
    """Indices that remain, best first. Boxes of one class that overlap by more than NMS_IOU are one object."""
    kept = []
    for candidate in np.argsort(-scores, kind="stable"):
        rivals = [k for k in kept if kinds[k] == kinds[candidate]]
        if all(iou(boxes[candidate], boxes[k]) <= NMS_IOU for k in rivals):
            kept.append(candidate)
    return kept


def suppress_any_class(found):
    """One object per place, whatever its class; of (score, scene, box, class)."""
    left = []
    for scene in sorted({f[1] for f in found}):
        mine = [f for f in found if f[1] == scene]
        kept = suppress([f[2] for f in mine], np.array([f[0] for f in mine]), [0] * len(mine))
        left += [mine[k] for k in kept]
    return left


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return float(width * height / (a[2] * a[3] + b[2] * b[3] - width * height))


class Detector:
    def __init__(self, path):
        self.net = cv2.dnn.readNetFromONNX(str(path))

    def __call__(self, image, lowest=LOWEST_SCORE):
        picture, scale, left, top = letterbox(image)
        self.net.setInput(cv2.dnn.blobFromImage(picture, 1 / 255))
        boxes, scores, kinds = decode(self.net.forward()[0], lowest)
        if len(boxes):
            boxes = (boxes - np.array([left, top, 0, 0])) / scale
        return boxes, scores, kinds


class Classifier:
    def __init__(self, path):
        self.net = cv2.dnn.readNet(str(path))

    def __call__(self, pictures):
        """Crops of SIDE x SIDE bytes to classes."""
        found = []
        for start in range(0, len(pictures), 64):
            self.net.setInput(cv2.dnn.blobFromImages(pictures[start : start + 64], 1 / 255))
            found.append(self.net.forward().argmax(1))
        return np.concatenate(found)


def average_precision(found, truths):
    """found: (score, scene, box). truths: scene to boxes. Area under the precision envelope at IoU 0.5."""
    total = sum(len(boxes) for boxes in truths.values())
    if total == 0:
        return float("nan")
    taken = {scene: np.zeros(len(boxes), bool) for scene, boxes in truths.items()}
    hits = np.zeros(len(found))
    for rank, (_, scene, box) in enumerate(sorted(found, key=lambda item: -item[0])):
        overlaps = [iou(box, truth) for truth in truths.get(scene, [])]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] >= MATCH_IOU and not taken[scene][best]:
            taken[scene][best] = True
            hits[rank] = 1
    true = np.cumsum(hits)
    recall, precision = true / total, true / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)) if len(hits) else 0.0


def outward(box):
    """To whole pixels, as the program cuts the region for the classifier."""
    x0, y0 = np.floor(box[:2])
    x1, y1 = np.ceil(box[:2] + box[2:])
    return x0, y0, x1 - x0, y1 - y0


def bucket(box):
    longer = max(box[2], box[3])
    return next(i for i, (low, high) in enumerate(SIZE_BUCKETS) if low <= longer < high)


def detector_report(detector, held_out, count):
    found, truths = [], []
    for index in range(count):
        scene = scenes.make(SEED, index, held_out, INPUT_WIDTH, INPUT_HEIGHT, colour=True)
        truths.append((scene.boxes, scene.labels))
        found += [(s, index, b, k) for b, s, k in zip(*detector(scene.image))]

    def truth_where(keep):
        return {i: [b for b, l in zip(*t) if keep(b, l)] for i, t in enumerate(truths)}

    per_class = [
        average_precision([f[:3] for f in found if f[3] == c], truth_where(lambda b, l: l == c)) for c in range(10)
    ]
    report = {
        "scenes": count,
        "digits": sum(len(t[1]) for t in truths),
        "mAP50": float(np.mean(per_class)),
        "AP50_per_class": per_class,
        "AP50_any_class": average_precision([f[:3] for f in suppress_any_class(found)], truth_where(lambda b, l: True)),
    }
    report["by_size"] = [size_row(found, truths, i) for i in range(len(SIZE_BUCKETS))]
    report["by_threshold"] = [threshold_row(found, truths, t / 20) for t in range(2, 18)]
    return report, found, truths


def hidden_report(detector, held_out, count):
    """mAP50 where digits cross, and walls stand before them in every second scene."""
    found, truths = [], []
    for index in range(count):
        walls = index % 2 == 0
        scene = scenes.make(
            SEED, index, held_out, INPUT_WIDTH, INPUT_HEIGHT, colour=True, crossing=True, walls=walls
        )
        asked = scene.shown >= LEAST_SHOWN
        truths.append((scene.boxes[asked], scene.labels[asked]))
        for box, score, kind in zip(*detector(scene.image)):
            overlaps = [iou(box, truth) for truth in scene.boxes]
            best = int(np.argmax(overlaps)) if overlaps else -1
            if best < 0 or asked[best] or overlaps[best] < MATCH_IOU:
                found.append((score, index, box, kind))
    per_class = [
        average_precision(
            [f[:3] for f in found if f[3] == c],
            {i: [b for b, label in zip(*t) if label == c] for i, t in enumerate(truths)},
        )
        for c in range(10)
    ]
    return {"digits": sum(len(t[1]) for t in truths), "mAP50": float(np.mean(per_class))}


def matches(found, truths, threshold):
    """Pairs of (found, truth box, truth label), each truth at most once, best score first."""
    taken = [set() for _ in truths]
    pairs, wrong = [], []
    for item in sorted((f for f in found if f[0] >= threshold), key=lambda f: -f[0]):
        boxes, labels = truths[item[1]]
        overlaps = [iou(item[2], b) if i not in taken[item[1]] else 0 for i, b in enumerate(boxes)]
        best = int(np.argmax(overlaps)) if overlaps else -1
        if best >= 0 and overlaps[best] >= MATCH_IOU:
            taken[item[1]].add(best)
            pairs.append((item, boxes[best], int(labels[best])))
        else:
            wrong.append(item)
    return pairs, wrong


def threshold_row(found, truths, threshold):
    pairs, wrong = matches(found, truths, threshold)
    right = sum(item[3] == label for item, _, label in pairs)
    total = sum(len(t[1]) for t in truths)
    precision, recall = right / max(len(pairs) + len(wrong), 1), right / total
    balance = 2 * precision * recall / max(precision + recall, 1e-9)
    return {"confidence": threshold, "precision": precision, "recall": recall, "F1": balance}


def size_of(item, truths):
    """The bucket of the truth that a found box lies on; of the box itself where it lies on none."""
    boxes = truths[item[1]][0]
    overlaps = [iou(item[2], b) for b in boxes]
    best = int(np.argmax(overlaps)) if overlaps else -1
    longer = max((boxes[best] if best >= 0 and overlaps[best] >= MATCH_IOU else item[2])[2:])
    return next((i for i, (low, high) in enumerate(SIZE_BUCKETS) if low <= longer < high), -1)


def size_row(found, truths, which):
    """mAP50 over the digits of one size; what was found on digits of other sizes does not count."""
    low, high = SIZE_BUCKETS[which]
    mine = [f for f in found if size_of(f, truths) == which]
    values = []
    for c in range(10):
        truth = {i: [b for b, l in zip(*t) if l == c and bucket(b) == which] for i, t in enumerate(truths)}
        values.append(average_precision([f[:3] for f in mine if f[3] == c], truth))
    pairs, _ = matches(found, truths, MIN_CONFIDENCE)
    total = sum(bucket(b) == which for t in truths for b in t[0])
    right = sum(bucket(box) == which and item[3] == label for item, box, label in pairs)
    share = right / max(total, 1)
    return {"size": f"{low}-{high - 1}", "digits": total, "mAP50": float(np.nanmean(values)), "read": share}


def classifier_report(classifier, held_out, found, truths, count):
    whole = [cv2.resize(i, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) for i in held_out.images]
    answers = classifier(whole)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (held_out.labels, answers), 1)
    tight = []
    for image in held_out.images:
        ys, xs = np.nonzero(image > 90)
        tight.append(crop(image, (xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1)))
    inverted = classifier([255 - i for i in whole])
    pictures = [
        cv2.cvtColor(scenes.make(SEED, i, held_out, INPUT_WIDTH, INPUT_HEIGHT, colour=True).image, cv2.COLOR_BGR2GRAY)
        for i in range(count)
    ]
    exact = [crop(pictures[i], b) for i, t in enumerate(truths) for b in t[0]]
    exact_labels = np.concatenate([t[1] for t in truths])
    pairs, _ = matches(found, truths, MIN_CONFIDENCE)
    cascade = classifier([crop(pictures[item[1]], outward(item[2])) for item, _, _ in pairs])
    cascade_labels = np.array([label for _, _, label in pairs])
    own = np.array([item[3] for item, _, _ in pairs])
    return {
        "held_out_digits": len(answers),
        "accuracy": float(np.mean(answers == held_out.labels)),
        "accuracy_tight_crops": float(np.mean(classifier(tight) == held_out.labels)),
        "accuracy_dark_on_light": float(np.mean(inverted == held_out.labels)),
        "scene_crops": len(exact),
        "accuracy_scene_crops": float(np.mean(classifier(exact) == exact_labels)),
        "detector_crops": len(pairs),
        "accuracy_detector_crops": float(np.mean(cascade == cascade_labels)),
        "detectors_own_accuracy_there": float(np.mean(own == cascade_labels)),
        "confusion": confusion.tolist(),
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--detector", type=Path, default=MODELS / "digits-detector.onnx")
    arguments.add_argument("--classifier", type=Path, default=MODELS / "digits-classifier.onnx")
    arguments.add_argument("--scenes", type=int, default=SCENES)
    options = arguments.parse_args()
    held_out = digits.load()[1]
    report, found, truths = detector_report(Detector(options.detector), held_out, options.scenes)
    report["hidden"] = hidden_report(Detector(options.detector), held_out, options.scenes)
    report["classifier"] = classifier_report(Classifier(options.classifier), held_out, found, truths, options.scenes)
    report["opencv"] = cv2.__version__
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
