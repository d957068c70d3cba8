"""The project's models (docs/models.md) in Python, as one would write it for a server: decoded and prepared with OpenCV, and what
all servers here do with a picture.

    DETECT_MODEL, CLASSIFY_MODEL   names of manifests
    ENGINE                         of `networks.py`
    THREADS                        of it in each worker
"""

import os
from pathlib import Path

import cv2
import numpy as np
import yaml

import networks

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "Sources/framemesh/Resources/models"
# As framemesh looks for them: FRAMEMESH_MODELS, then beside the manifest.
FOLDERS = [Path(folder) for folder in os.environ.get("FRAMEMESH_MODELS", "").split(":") if folder] + [MANIFESTS]


def find(name):
    for folder in FOLDERS:
        if (folder / name).is_file():
            return str(folder / name)
    raise FileNotFoundError(f"{name} is in none of {', '.join(map(str, FOLDERS))}")


class NoPicture(ValueError):
    pass


class Analysis:
    """Both models. Not for two threads at once."""

    def __init__(self):
        self.detector, self.classifier = Detector(os.environ["DETECT_MODEL"]), Classifier(os.environ["CLASSIFY_MODEL"])

    def of(self, data):
        """What is in a picture: `data` is a JPEG or what else OpenCV reads."""
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise NoPicture("this is no picture")
        height, width = picture.shape[:2]
        return {
            "width": width, "height": height, "detections": self.detector.detect(picture),
            "classes": self.classifier.classify(picture),
        }


class Model:
    """One network."""

    def __init__(self, name):
        manifest = yaml.safe_load((MANIFESTS / f"{name}.yaml").read_text())
        files, self.input, self.output = manifest["files"], manifest["input"], manifest["output"]
        weights = find(files["weights"]["name"]) if "weights" in files else None
        self.forward = networks.load(
            os.environ["ENGINE"], find(files["network"]["name"]), weights, self.output.get("names"), int(os.environ["THREADS"]))
        self.labels = [line.strip() for line in Path(find(files["labels"]["name"])).read_text().splitlines() if line.strip()]
        self.size = (self.input["width"], self.input["height"])
        self.run(np.zeros((*self.size[::-1], 3), np.uint8))  # The first pass is slower than the others.

    def run(self, picture):
        channels, mean = self.input["channels"], self.input.get("mean", 0)
        placed, self.scale, self.offset = self._place(picture)
        if channels == "GRAY":
            placed = cv2.cvtColor(placed, cv2.COLOR_BGR2GRAY)
        # A manifest's mean is in the network's order; cv2 swaps the picture first and so takes it in that order, too.
        blob = cv2.dnn.blobFromImage(
            placed, self.input["scale"], self.size, mean if isinstance(mean, list) else (mean,) * 3, swapRB=channels == "RGB")
        return self.forward(blob)

    def _place(self, picture):
        """What the network sees, and how its pixels map back: picture = (input - offset) / scale."""
        (height, width), (wide, high) = picture.shape[:2], self.size
        if self.input["resize"] == "stretch":
            return cv2.resize(picture, self.size), (wide / width, high / height), (0, 0)
        scale = min(wide / width, high / height)
        inner = (round(width * scale), round(height * scale))
        left, top = (wide - inner[0]) // 2, (high - inner[1]) // 2
        placed = np.full((high, wide, 3), self.input.get("border", 0), np.uint8)
        placed[top:top + inner[1], left:left + inner[0]] = cv2.resize(picture, inner)
        return placed, (scale, scale), (left, top)


class Detector(Model):
    def detect(self, picture):
        outputs = self.run(picture)
        rows = DECODERS[self.output["decoder"]](outputs, self.output["min_confidence"])
        centres, scores = rows[:, :4] * np.array([*self.size, *self.size]), rows[:, 5:]
        classes = scores.argmax(axis=1)
        confidences = scores[np.arange(len(scores)), classes]
        sure = confidences >= self.output["min_confidence"]
        centres, classes, confidences = centres[sure], classes[sure], confidences[sure]
        corner = (centres[:, :2] - centres[:, 2:] / 2 - self.offset) / self.scale
        boxes = np.concatenate([corner, centres[:, 2:] / self.scale], axis=1)
        kept = cv2.dnn.NMSBoxesBatched(
            boxes.tolist(), confidences.tolist(), classes.tolist(), self.output["min_confidence"], self.output["nms_iou"])
        height, width = picture.shape[:2]
        found = []
        for index in kept:
            x, y, w, h = boxes[index].tolist()
            left, top, right, bottom = max(0, x), max(0, y), min(width, x + w), min(height, y + h)
            found.append({
                "label": self.labels[classes[index]], "class_id": int(classes[index]),
                "confidence": round(float(confidences[index]), 4),
                "box": {"x": round(left, 2), "y": round(top, 2), "width": round(right - left, 2), "height": round(bottom - top, 2)},
            })
        return found


class Classifier(Model):
    def classify(self, picture):
        scores = self.run(picture)[0].reshape(-1)
        if self.output.get("class_activation") == "softmax":
            odds = np.exp(scores - scores.max())
            scores = odds / odds.sum()
        best = scores.argsort()[::-1][:self.output.get("top_k", 5)]
        return [{"label": self.labels[i], "class_id": int(i), "confidence": round(float(scores[i]), 4)} for i in best]


# ---- decoders: rows of cx, cy, w, h relative to the input, objectness, and a confidence for each class; those below `least` may be left
# out ----


def region(outputs, least):
    """Darknet's [yolo] layers, as OpenCV answers them."""
    return np.concatenate(outputs)


def grid(outputs, least):
    rows = []
    for output in outputs:
        values = output[0]
        _, high, wide = values.shape
        objectness, dx, dy = sigmoid(values[:3])
        y, x = np.mgrid[:high, :wide]
        odds = np.exp(values[5:] - values[5:].max(axis=0))
        head = [(x + dx) / wide, (y + dy) / high, np.exp(values[3]) / wide, np.exp(values[4]) / high, objectness]
        rows.append(flat(head, objectness * odds / odds.sum(axis=0)))
    return np.concatenate(rows)


def fastestdet(outputs, least):
    values = outputs[0][0]
    _, high, wide = values.shape
    # A class has 1 at most, so that few cells are left.
    y, x = np.nonzero(values[0] ** 0.6 >= least)
    values = values[:, y, x]
    dx, dy = np.tanh(values[1:3])
    head = [(x + dx) / wide, (y + dy) / high, *sigmoid(values[3:5]), values[0]]
    return flat(head, values[0] ** 0.6 * values[5:] ** 0.4)


def flat(head, classes):
    return np.concatenate([np.stack(head), classes]).reshape(5 + len(classes), -1).T


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


DECODERS = {"darknet-region": region, "grid": grid, "fastestdet": fastestdet}
