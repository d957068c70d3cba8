"""Writes videos of moving digits as the tracker meets them: what the bundled detector found in each frame, and the truth.

Digits cross each other, and walls hide them for a while. The pictures themselves are not kept. Files are those of the MOT
Challenge: seqinfo.ini, gt/gt.txt (frame, id, box, 1 or 0: not to be looked for, class, visible share) and det/det.txt
(frame, -1, box, confidence, class), with pixels counted from 1. cast.txt says which digits were taken: where it is, a later
detector meets the same pictures.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import backgrounds
import digits
import handwriting
import shades
from evaluate import MODELS, Detector, iou

SEED = 6
VIDEOS = 6
WIDTH, HEIGHT, RATE, FRAMES = 640, 480, 25, 150
DIGITS = (5, 8)
SIZES = (48, 110)
# Pixels a second.
SPEEDS = (50, 150)
WALL_WIDTHS = (20, 40)
# A digit that the detector finds where nothing is in its way: the videos are there for the tracker.
SURE_SCORE, SURE_OVERLAP = 0.6, 0.7
# The tracker looks at no weaker box.
LOWEST_SCORE = 0.1
# What shows less of its ink is not to be looked for.
LEAST_VISIBLE = 0.5
# What a video must have: pairs of digits whose boxes overlap by a tenth or more, and digits that vanish and come back.
LEAST_CROSSINGS, LEAST_OCCLUSIONS = 3, 2
CROSSING_OVERLAP = 0.1
# Share of the digits of all frames that touch another one or are partly hidden.
DISTURBED_SHARE = (0.1, 0.3)


@dataclass
class Mover:
    """A digit that bounces between the edges, along a straight line or a waved one."""

    stamp: handwriting.Stamp
    ink: np.ndarray
    start: np.ndarray
    speed: np.ndarray
    wave: float

    def position(self, frame):
        room = np.array([WIDTH - self.stamp.box[2] - 8, HEIGHT - self.stamp.box[3] - 8])
        side = np.array([-self.speed[1], self.speed[0]]) / np.hypot(*self.speed)
        way = self.start + self.speed * frame / RATE + side * self.wave * np.sin(frame / RATE * 2)
        way = np.mod(way, 2 * room)
        return np.rint(np.minimum(way, 2 * room - way)).astype(int) + 4


def is_sure(detector, backdrop, mark, ink):
    image = backdrop.copy()
    x, y = WIDTH // 2, HEIGHT // 2
    handwriting.blend(image, mark, x, y, ink)
    boxes, scores, _ = detector(np.clip(image, 0, 255).astype(np.uint8), SURE_SCORE)
    truth = (x, y, mark.box[2], mark.box[3])
    return len(scores) == 1 and iou(boxes[0], truth) >= SURE_OVERLAP


def cast(random, held_out, is_taken, low, high):
    """Digits that `is_taken`, asked with what is drawn and how many were drawn for this place, and those numbers."""
    made, draws = [], []
    for place in range(random.integers(*DIGITS)):
        mark, count = None, 0
        while mark is None or not is_taken(place, count, mark, ink):
            count += 1
            style = handwriting.random_style(random, 1)
            style.size = random.uniform(*SIZES)
            pick = random.integers(0, len(held_out.images))
            mark = handwriting.stamp(held_out.images[pick], held_out.labels[pick], style)
            ink = shades.ink_brightness(random, low, high) + shades.tint(random, 70)
        draws.append(count)
        angle = random.uniform(0, 2 * np.pi)
        made.append(
            Mover(
                mark,
                ink,
                random.uniform(0, 900, 2),
                random.uniform(*SPEEDS) * np.array([np.cos(angle), np.sin(angle)]),
                random.choice([0, 0, 25]),
            )
        )
    return made, draws


def wall(random, upright):
    """A box from edge to edge."""
    width, place = int(random.integers(*WALL_WIDTHS)), random.uniform(0.2, 0.8)
    return (int(place * WIDTH), 0, width, HEIGHT) if upright else (0, int(place * HEIGHT), WIDTH, width)


def frame_of(random, backdrop, movers, barrier, shade, frame):
    """The picture, and of each digit its box and the share of its ink that shows."""
    image = backdrop.copy()
    top = np.full(image.shape[:2], -1, int)
    boxes, counts = [], []
    for index, mover in enumerate(movers):
        x, y = (int(v) for v in mover.position(frame))
        handwriting.blend(image, mover.stamp, x, y, mover.ink)
        bx, by, width, height = mover.stamp.box
        ink = mover.stamp.coverage[by : by + height, bx : bx + width] > handwriting.INK
        top[y : y + height, x : x + width][ink] = index
        counts.append(int(ink.sum()))
        boxes.append((x, y, int(width), int(height)))
    x, y, width, height = barrier
    image[y : y + height, x : x + width] = shade
    top[y : y + height, x : x + width] = -1
    shown = np.bincount(top[top >= 0], minlength=len(movers))
    image += 2 * random.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), boxes, shown / np.maximum(counts, 1)


def ways(movers):
    """Of each frame, each digit's box."""
    return [
        [(*(int(v) for v in mover.position(frame)), int(mover.stamp.box[2]), int(mover.stamp.box[3])) for mover in movers]
        for frame in range(FRAMES)
    ]


def crossings(frames):
    """Pairs of digits that come to overlap, each time anew."""
    count, before = 0, set()
    for boxes in frames:
        now = {
            (i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes[:i]) if iou(a, b) >= CROSSING_OVERLAP
        }
        count += len(now - before)
        before = now
    return count


def disturbed(truth):
    """Share of the digits of all frames that touch another one or are partly hidden."""
    found = [
        share < 0.95 or any(iou(box, other) > 0.02 for other in boxes if other is not box)
        for boxes, shares in truth
        for box, share in zip(boxes, shares)
    ]
    return sum(found) / len(found)


def occlusions(truth):
    """Digits that are seen, then not, then again."""
    count = 0
    for index in range(len(truth[0][0])):
        seen = [shares[index] >= LEAST_VISIBLE for _, shares in truth]
        changes = [seen[0]] + [b for a, b in zip(seen, seen[1:]) if a != b]
        count += max(0, sum(changes) - 1)
    return count


def video(seed, index, held_out, detector, known=None):
    """The first one from a seed on that has what it must have: its frames' pictures and truths, its movers, and its cast.

    A cast is the attempt, and how many digits were drawn for each place. A known one is followed.
    """
    for attempt in known[:1] if known else range(1000):
        random = np.random.default_rng([seed, index, attempt])
        low, high = 140.0, 180.0
        pattern = backgrounds.normalised(backgrounds.cloud(random, WIDTH, HEIGHT))
        backdrop = (low + (high - low) * pattern)[..., None] + shades.tint(random, 30)

        def is_taken(place, count, mark, ink):
            return count == known[1 + place] if known else is_sure(detector, backdrop, mark, ink)

        movers, draws = cast(random, held_out, is_taken, low, high)
        barrier = wall(random, index % 2 == 0)
        places = ways(movers)
        if crossings(places) < LEAST_CROSSINGS:
            continue
        shade = np.float32(low - 25) + shades.tint(random, 20)
        frames = [frame_of(random, backdrop, movers, barrier, shade, frame) for frame in range(FRAMES)]
        truth = [(boxes, shares) for _, boxes, shares in frames]
        hidden, share = occlusions(truth), disturbed(truth)
        if hidden >= LEAST_OCCLUSIONS and DISTURBED_SHARE[0] <= share <= DISTURBED_SHARE[1]:
            print(
                f"video {index}, attempt {attempt}: {len(movers)} digits, {crossings(places)} crossings, "
                f"{hidden} occlusions, {share:.0%} of the digits touch another or are partly hidden",
                flush=True,
            )
            return frames, movers, [attempt, *draws]
    raise SystemExit(f"no video {index} with crossings and occlusions")


def write(folder, frames, movers, detector):
    (folder / "gt").mkdir(parents=True, exist_ok=True)
    (folder / "det").mkdir(exist_ok=True)
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={folder.name}\nframeRate={RATE}\nseqLength={FRAMES}\nimWidth={WIDTH}\nimHeight={HEIGHT}\n"
    )
    truth, found = [], []

    def from_one(box):
        return (box[0] + 1, box[1] + 1, *box[2:])

    for number, (image, boxes, shares) in enumerate(frames, 1):
        for index, (box, share) in enumerate(zip(boxes, shares)):
            flag = int(share >= LEAST_VISIBLE)
            truth.append(
                f"{number},{index + 1},{','.join(map(str, from_one(box)))},{flag},{movers[index].stamp.label},{share:.2f}"
            )
        for box, score, kind in zip(*detector(image, LOWEST_SCORE)):
            found.append(f"{number},-1,{','.join(f'{v:.1f}' for v in from_one(box))},{score:.3f},{kind}")
    (folder / "gt/gt.txt").write_text("\n".join(truth) + "\n")
    (folder / "det/det.txt").write_text("\n".join(found) + "\n")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[2] / "Tests/TrackingTests/Sequences"
    arguments.add_argument("--output", type=Path, default=default)
    arguments.add_argument("--pictures", type=Path, help="folder for the frames, as PNG")
    arguments.add_argument("--seed", type=int, default=SEED, help="others make other videos of the kind")
    options = arguments.parse_args()
    held_out = digits.load()[1]
    detector = Detector(MODELS / "digits-detector.onnx")
    for index in range(VIDEOS):
        name = f"digits-{index + 1}"
        file = options.output / name / "cast.txt"
        known = [int(number) for number in file.read_text().split()] if file.exists() else None
        frames, movers, chosen = video(options.seed, index, held_out, detector, known)
        write(options.output / name, frames, movers, detector)
        file.write_text(" ".join(map(str, chosen)) + "\n")
        if options.pictures:
            (options.pictures / name / "img1").mkdir(parents=True, exist_ok=True)
            for number, (image, _, _) in enumerate(frames, 1):
                cv2.imwrite(str(options.pictures / name / "img1" / f"{number:06}.png"), image)


if __name__ == "__main__":
    main()
