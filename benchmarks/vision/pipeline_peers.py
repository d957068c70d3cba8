"""The same pipeline (pipeline.hpp) on the other engines, as one would write it in Python: it answers like pipeline.cpp.

python pipeline_peers.py openvino|onnxruntime yolo-fastest-1.1|FastestDet MODELS JPEG…
"""

import pathlib
import sys
import time

import cv2
import numpy as np

import peers

LEAST, NMS_IOU = {"yolo-fastest-1.1": 0.3, "FastestDet": 0.65}, 0.45
# Of its two outputs, in pixels of the input.
ANCHORS = [[(115, 73), (119, 199), (242, 238)], [(12, 18), (37, 49), (52, 132)]]


class Watch:
    """Milliseconds."""

    def __init__(self):
        self.start = self.last = time.perf_counter()

    def lap(self):
        before, self.last = self.last, time.perf_counter()
        return (self.last - before) * 1000

    def total(self):
        return (time.perf_counter() - self.start) * 1000


def yolo(outputs):
    """Planes of each anchor: dx, dy, width, height, objectness, and one for each class."""
    parts = []
    for index, anchors in enumerate(ANCHORS):
        # OpenVINO's are a dictionary that can be asked for a number.
        _, _, high, wide = outputs[index].shape
        values = outputs[index].reshape(3, 85, high, wide)
        # A class has the objectness at most, so that few cells are left.
        anchor, y, x = np.nonzero(sigmoid(values[:, 4]) >= LEAST["yolo-fastest-1.1"])
        values = values[anchor, :, y, x].T
        centres = (np.stack([x, y]) + sigmoid(values[:2])) / [[wide], [high]]
        sides = np.exp(values[2:4]) * np.array(anchors)[anchor].T / 320
        parts.append(np.concatenate([centres, sides, sigmoid(values[4]) * sigmoid(values[5:])]))
    return np.concatenate(parts, axis=1)


def fastestdet(outputs):
    """Planes of objectness, dx, dy, width, height, and a probability for each class."""
    values = outputs[0][0]
    _, high, wide = values.shape
    # A class has 1 at most.
    y, x = np.nonzero(values[0] ** 0.6 >= LEAST["FastestDet"])
    values = values[:, y, x]
    centres = (np.stack([x, y]) + np.tanh(values[1:3])) / [[wide], [high]]
    return np.concatenate([centres, sigmoid(values[3:5]), values[0] ** 0.6 * values[5:] ** 0.4])


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def strongest(candidates, least, size):
    """Class, x, y, width and height of each box; a candidate is a column of cx, cy, width, height, relative, and of confidences."""
    scale = np.array(size)[:, None]
    classes, confidences = candidates[4:].argmax(axis=0), candidates[4:].max(axis=0)
    sides = candidates[2:4] * scale
    boxes = np.concatenate([candidates[:2] * scale - sides / 2, sides]).T
    found = []
    for i in cv2.dnn.NMSBoxesBatched(boxes.tolist(), confidences.tolist(), classes.tolist(), least, NMS_IOU):
        x, y, width, height = boxes[i].tolist()
        left, top, right, bottom = max(0, x), max(0, y), min(size[0], x + width), min(size[1], y + height)
        found.append((int(classes[i]), left, top, right - left, bottom - top))
    return found


# File, side of the input, whether it is RGB, decoder.
DETECTORS = {
    "yolo-fastest-1.1": ("yolo-fastest-1.1.rawheads.onnx", 320, True, yolo),
    "FastestDet": ("FastestDet.onnx", 352, False, fastestdet),
}


def main():
    engine, name, models, *paths = sys.argv[1:]
    file, side, is_rgb, decode_boxes = DETECTORS[name]
    cv2.setNumThreads(1)
    load = {"openvino": peers.openvino, "onnxruntime": peers.onnxruntime}[engine]
    detector = load(f"{models}/{file}", [1, 3, side, side], "f32")
    classifier = load(f"{models}/squeezenet_v1.1.onnx", [1, 3, 227, 227], "f32")
    pictures = [pathlib.Path(path).read_bytes() for path in paths]

    def analyse(jpeg):
        """The top class, the boxes, and milliseconds of the stages and of all."""
        watch = Watch()
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        decode = watch.lap()
        blob = cv2.dnn.blobFromImage(picture, 1 / 255, (side, side), swapRB=is_rgb)
        preprocess = watch.lap()
        heads = detector(blob)
        infer = watch.lap()
        boxes = strongest(decode_boxes(heads), LEAST[name], picture.shape[1::-1])
        postprocess = watch.lap()
        blob = cv2.dnn.blobFromImage(picture, 1, (227, 227), (104, 117, 123))
        preprocess += watch.lap()
        scores = classifier(blob)[0]
        infer += watch.lap()
        top = int(scores.argmax())
        postprocess += watch.lap()
        return top, boxes, (decode, preprocess, infer, postprocess, watch.total())

    for picture in pictures:
        top, boxes, _ = analyse(picture)
        print(top, *(f"{value:.2f}" if i else value for box in boxes for i, value in enumerate(box)))
    sys.stdout.flush()
    for line in sys.stdin:
        index, seconds = line.split()
        picture = pictures[int(index)]
        analyse(picture)
        turn, frames = Watch(), []
        while turn.total() < float(seconds) * 1000:
            frames.append(analyse(picture)[2])
        print(f"{turn.total():.4f}", *(f"{each:.4f}" for frame in frames for each in frame), flush=True)


main()
