"""Trains the classifier on crops of generated scenes and on clean digits, and writes digits-classifier.onnx."""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

import crops
import digits
import models

SEED = 2
SCENES = 6000
CROPS_PER_DIGIT = 2
BATCH = 128
EPOCHS = 4
PEAK_RATE = 3e-3


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--epochs", type=int, default=EPOCHS)
    arguments.add_argument("--output", type=Path, default=Path("digits-classifier.onnx"))
    options = arguments.parse_args()

    begin = time.monotonic()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    source = digits.load()[0]
    scene_images, scene_labels = crops.of_scenes(SEED, SCENES, source, CROPS_PER_DIGIT)
    clean_images, clean_labels = crops.of_cells(SEED, source)
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
    models.export(model, options.output, (1, crops.SIDE, crops.SIDE), "logits")


if __name__ == "__main__":
    main()
