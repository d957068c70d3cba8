"""Trains the classifier on crops of generated scenes and on clean digits, and writes digits-classifier.onnx."""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F

import digits
import models
import scenes

SEED = 2
SCENES = 6000
CROPS_PER_DIGIT = 2
COPIES_OF_CLEAN = 8
BATCH = 128
EPOCHS = 4
PEAK_RATE = 3e-3
SIDE = models.CLASSIFIER_SIDE


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


def scene_crops(source):
    images, labels = [], []
    for index in range(SCENES):
        scene = scenes.make(SEED, index, source, clutter=False)
        random = np.random.default_rng([SEED, index, 1])
        for box, label in zip(scene.boxes, scene.labels):
            for _ in range(CROPS_PER_DIGIT):
                images.append(crop(scene.image, box, -0.06, 0.25, random))
                labels.append(label)
    return images, labels


def clean_crops(source):
    """The cells of digits.png themselves: whole, shifted or cropped, dark on light as well."""
    random = np.random.default_rng([SEED, 0, 2])
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument("--output", type=Path, default=Path("digits-classifier.onnx"))
    options = arguments.parse_args()

    begin = time.monotonic()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    source = digits.load()[0]
    scene_images, scene_labels = scene_crops(source)
    clean_images, clean_labels = clean_crops(source)
    images = torch.from_numpy(np.stack(scene_images + clean_images))[:, None]
    labels = torch.from_numpy(np.array(scene_labels + clean_labels))
    print(f"{len(scene_images)} crops of scenes, {len(clean_images)} of clean digits, {time.monotonic() - begin:.0f} s")

    model = models.Classifier().to(memory_format=torch.channels_last)
    print(f"{models.parameters(model)} parameters", flush=True)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    steps = options.epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_RATE, steps)
    for epoch in range(options.epochs):
        total = 0.0
        order = torch.randperm(len(images))
        for batch in order[: len(order) // BATCH * BATCH].reshape(-1, BATCH):
            picture = (images[batch].float() / 255).to(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16):
                output = model(picture)
            loss = F.cross_entropy(output.float(), labels[batch], label_smoothing=0.03)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        mean = total / (len(images) // BATCH)
        print(f"epoch {epoch + 1} loss {mean:.4f} {time.monotonic() - begin:.0f} s", flush=True)
    models.export(model, options.output, (1, SIDE, SIDE), "logits")


if __name__ == "__main__":
    main()
