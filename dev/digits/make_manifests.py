"""Writes the manifests of the models, and their labels, beside their networks."""

import hashlib

from evaluate import INPUT_HEIGHT, INPUT_WIDTH, MIN_CONFIDENCE, MODELS, NMS_IOU, PAD
from crops import SIDE

LABELS = "digits.names"
HEAD = """\
name: {name}
task: {task}
summary: {summary}
licence: Apache-2.0
format: {format}
files:
  network:
{network}
  labels:
{labels}
classes: 10
input:
  width: {width}
  height: {height}
  channels: GRAY
  mean: 0
  scale: 0.00392156862745098
"""
DETECTOR = f"""\
  resize: letterbox
  border: {PAD}
output:
  decoder: grid
  class_activation: softmax
  names: [grid]
  min_confidence: {MIN_CONFIDENCE}
  nms_iou: {NMS_IOU}
"""
CLASSIFIER = """\
  resize: stretch
output:
  decoder: classifier
  class_activation: softmax
  names: [logits]
  top_k: 3
"""
# Importers of OpenCV name its one output each in their own way.
KERAS = CLASSIFIER.replace("  names: [logits]\n", "")


def entry(name):
    data = (MODELS / name).read_bytes()
    return f"    name: {name}\n    bytes: {len(data)}\n    sha256: {hashlib.sha256(data).hexdigest()}"


def write(name, task, summary, width, height, rest, network=None, format="onnx"):
    head = HEAD.format(
        name=name,
        task=task,
        summary=summary,
        format=format,
        network=entry(network or f"{name}.onnx"),
        labels=entry(LABELS),
        width=width,
        height=height,
    )
    (MODELS / f"{name}.yaml").write_text(head + rest)


def main():
    (MODELS / LABELS).write_text("".join(f"{digit}\n" for digit in range(10)))
    write(
        "digits-detector",
        "detection",
        "Finds handwritten digits, 16 to 96 pixels high in a frame of 320x240, and reads them",
        INPUT_WIDTH,
        INPUT_HEIGHT,
        DETECTOR,
    )
    write("digits-classifier", "classification", "Reads one handwritten digit", SIDE, SIDE, CLASSIFIER)
    for name, network, format in (
        ("digits-keras", "digits-keras.pb", "tensorflow"),
        ("digits-keras-onnx", "digits-keras.onnx", "onnx"),
    ):
        summary = "Reads one handwritten digit; smaller, trained with Keras"
        write(name, "classification", summary, SIDE, SIDE, KERAS, network, format)


if __name__ == "__main__":
    main()
