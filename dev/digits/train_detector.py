"""Trains the detector on generated scenes and writes digits-detector.onnx.

Two courses: the first one's scenes show digits as a whole, from step HIDING_STEP on digits cross and walls hide them.
The learning rate warms up, stays, then falls, in each. What is exported is a running mean of the weights, so training may
stop before the rate has reached nothing. A checkpoint holds everything: --resume continues to the same result.
"""

import argparse
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

import digits
import models
import scenes

SEED = 1
BATCH = 16
PEAK_RATE, HIDING_RATE = 2e-3, 1e-3
WARM_UP_STEPS = 300
# Where the first course ends, and the second one begins.
HIDING_STEP = 1750
# A digit of which less shows is neither asked for nor wrong, and of which hardly anything shows is not there.
LEAST_SHOWN, LEAST_THERE = 0.5, 0.25
WIDTH, HEIGHT = models.DETECTOR_WIDTH, models.DETECTOR_HEIGHT
PAD = 114


class Scenes(Dataset):
    """Training pictures with their target grids; item `index` is always the same."""

    def __init__(self, first, last):
        self.first, self.last = first, last
        self.digits = digits.load()[0]

    def __len__(self):
        return self.last - self.first

    def __getitem__(self, item):
        cv2.setNumThreads(0)
        index = self.first + item
        if index % 16 == 3:
            scene = scenes.make_empty(SEED, index)
        else:
            hides = index >= HIDING_STEP * BATCH
            scene = scenes.make(
                SEED,
                index,
                self.digits,
                groups=3 + index % 9,
                gap=-6 if index % 8 == 0 else 2,
                crossing=hides and index % 8 in (2, 5, 6),
                walls=hides and index % 8 in (4, 5),
            )
        image = scene.image
        if index % 8 == 1:  # bars as a letterboxed picture has them
            image, scene = with_bars(image, scene, index)
        return torch.from_numpy(image)[None], *targets(scene)


def with_bars(image, scene, index):
    random = np.random.default_rng([SEED, index, 1])
    image = image.copy()
    bar = int(random.integers(8, 100))
    if random.random() < 0.5:
        image[:, :bar], image[:, WIDTH - bar :] = PAD, PAD
        inside = (scene.boxes[:, 0] >= bar) & (scene.boxes[:, 0] + scene.boxes[:, 2] <= WIDTH - bar)
    else:
        bar = bar * 3 // 4
        image[:bar], image[HEIGHT - bar :] = PAD, PAD
        inside = (scene.boxes[:, 1] >= bar) & (scene.boxes[:, 1] + scene.boxes[:, 3] <= HEIGHT - bar)
    # A digit that a bar cuts is covered wholly: the truth stays exact.
    for x, y, w, h in scene.boxes[~inside].astype(int):
        image[max(y - 3, 0) : y + h + 3, max(x - 3, 0) : x + w + 3] = PAD
    return image, scenes.Scene(image, scene.boxes[inside], scene.labels[inside], shown=scene.shown[inside])


def targets(scene):
    """Heat [H, W], box [5, H, W] (offset x, y, width, height in cells, weight), class [H, W], class weight [H, W]."""
    rows, columns = HEIGHT // models.STRIDE, WIDTH // models.STRIDE
    heat = np.zeros((rows, columns), np.float32)
    box = np.zeros((5, rows, columns), np.float32)
    kind = np.zeros((rows, columns), np.int64)
    weight = np.zeros((rows, columns), np.float32)
    ys, xs = np.mgrid[0:rows, 0:columns].astype(np.float32) + 0.5
    for (x, y, w, h), label, shown in zip(scene.boxes / models.STRIDE, scene.labels, scene.shown):
        if shown < LEAST_THERE:
            continue
        cx, cy = x + w / 2, y + h / 2
        column, row = min(int(cx), columns - 1), min(int(cy), rows - 1)
        spread_x, spread_y = max(0.45, 0.16 * w), max(0.45, 0.16 * h)
        bump = np.exp(-(((xs - cx) / spread_x) ** 2 + ((ys - cy) / spread_y) ** 2) / 2)
        heat = np.maximum(heat, np.minimum(bump, 0.95))
        if shown < LEAST_SHOWN:
            continue
        near = (np.abs(xs - cx) <= max(0.5, 0.22 * w)) & (np.abs(ys - cy) <= max(0.5, 0.22 * h)) & (weight < 1)
        kind[near], weight[near] = label, 0.3
        box[:, row, column] = cx - column, cy - row, w, h, 1
        kind[row, column], weight[row, column] = label, 1
        heat[row, column] = 1
    centres = box[4] > 0
    heat[centres] = 1
    return torch.from_numpy(heat), torch.from_numpy(box), torch.from_numpy(kind), torch.from_numpy(weight)


def loss(output, heat, box, kind, weight):
    objectness = output[:, models.OBJECT]
    probability = torch.sigmoid(objectness)
    centre = (heat == 1).float()
    count = centre.sum().clamp(min=1)
    found = F.logsigmoid(objectness) * (1 - probability) ** 2 * centre
    empty = F.logsigmoid(-objectness) * probability**2 * (1 - heat) ** 4 * (1 - centre)
    presence = -(found + empty).sum() / count

    mask = box[:, 4]
    offset = torch.sigmoid(output[:, models.OFFSET])
    size = output[:, models.SIZE].clamp(-4, 4).exp()
    placement = ((1 - generalised_iou(offset, size, box[:, 0:2], box[:, 2:4])) * mask).sum() / count

    classes = F.cross_entropy(output[:, models.CLASS], kind, reduction="none")
    naming = (classes * weight).sum() / weight.sum().clamp(min=1)
    return presence + 2 * placement + naming, presence, placement, naming


def generalised_iou(centre, size, true_centre, true_size):
    low, high = centre - size / 2, centre + size / 2
    true_low, true_high = true_centre - true_size / 2, true_centre + true_size / 2
    overlap = (torch.minimum(high, true_high) - torch.maximum(low, true_low)).clamp(min=0).prod(1)
    union = size.prod(1) + true_size.prod(1) - overlap
    hull = (torch.maximum(high, true_high) - torch.minimum(low, true_low)).prod(1)
    return overlap / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)


def rate(step, steps, decay):
    peak, since = (PEAK_RATE, step) if step < HIDING_STEP else (HIDING_RATE, step - HIDING_STEP)
    if since < WARM_UP_STEPS:
        return peak * (since + 1) / WARM_UP_STEPS
    remaining = (steps - step) / decay
    return peak * min(1, max(remaining, 0.002))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=2000)
    arguments.add_argument("--decay", type=int, default=1300, help="steps over which the learning rate falls")
    arguments.add_argument("--stop", type=int, default=1750, help="step after which the mean weights are exported")
    arguments.add_argument("--checkpoint", type=Path, default=Path("detector.pt"))
    arguments.add_argument("--resume", action="store_true")
    arguments.add_argument("--onward", type=Path, help="a network of the first course, *.onnx: the second one follows")
    arguments.add_argument("--output", type=Path, default=Path("digits-detector.onnx"))
    options = arguments.parse_args()

    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    model = models.Detector().to(memory_format=torch.channels_last)
    print(f"{models.parameters(model)} parameters", flush=True)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}])
    average, start, spent = models.Average(model), 0, 0.0
    if options.onward:
        start = HIDING_STEP
        first = Scenes(start * BATCH, (start + 4) * BATCH)
        pictures = torch.stack([first[item][0] for item in range(len(first))])
        models.take(model, options.onward, pictures.float() / 255)
        average = models.Average(model)
    if options.resume:
        saved = torch.load(options.checkpoint)
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        average.values, average.steps = saved["average"], saved["average_steps"]
        start, spent = saved["step"], saved["seconds"]

    begin = time.monotonic() - spent
    last = min(options.stop, options.steps)
    loader = DataLoader(Scenes(start * BATCH, last * BATCH), BATCH, num_workers=1, prefetch_factor=8)
    sums = np.zeros(4)
    for step, (image, *target) in enumerate(loader, start):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, options.steps, options.decay)
        picture = (image.float() / 255).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            output = model(picture)
        parts = loss(output.float(), *target)
        optimiser.zero_grad(set_to_none=True)
        parts[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimiser.step()
        average.update(model)
        sums += [float(p.detach()) for p in parts]
        done = step + 1
        if done % 100 == 0:
            total, presence, placement, naming = sums / 100
            sums[:] = 0
            print(
                f"step {done} loss {total:.3f} presence {presence:.3f} box {placement:.3f} class {naming:.3f} "
                f"rate {optimiser.param_groups[0]['lr']:.5f} {time.monotonic() - begin:.0f} s",
                flush=True,
            )
        if done % 250 == 0 or done == last:
            save(options.checkpoint, model, optimiser, average, done, time.monotonic() - begin)
    model.load_state_dict(average.values)
    models.export(model, options.output, (1, HEIGHT, WIDTH), "grid")


def save(path, model, optimiser, average, step, seconds):
    if not math.isfinite(sum(float(p.detach().abs().sum()) for p in model.parameters())):
        raise SystemExit(f"weights are not finite at step {step}")
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "average": average.values,
        "average_steps": average.steps,
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


if __name__ == "__main__":
    main()
