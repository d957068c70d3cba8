"""Writes the manifests of the two models and their labels beside the ONNX files."""

import hashlib

from evaluate import INPUT_HEIGHT, INPUT_WIDTH, MIN_CONFIDENCE, MODELS, NMS_IOU, PAD
from train_classifier import SIDE

LABELS = "digits.names"
HEAD = """\
name: {name}
task: {task}
summary: {summary}
licence: Apache-2.0
format: onnx
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


def entry(name):
    data = (MODELS / name).read_bytes()
    return f"    name: {name}\n    bytes: {len(data)}\n    sha256: {hashlib.sha256(data).hexdigest()}"


def write(name, task, summary, width, height, rest):
    head = HEAD.format(
        name=name,
        task=task,
        summary=summary,
        network=entry(f"{name}.onnx"),
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


if __name__ == "__main__":
    main()
