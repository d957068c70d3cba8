"""Writes the bundled demo: pictures and a video of moving numbers, all of held-out digits, and truth.json.

Boxes are x, y, width, height in pixels of the picture. The video needs the `ffmpeg` command with libx264.
"""

import argparse
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import backgrounds
import digits
import handwriting
import scenes
import shades

SEED = 4
# Name, width, height; a digit is 16 to 96 pixels high once the picture is fitted into 320x240.
PICTURES = (
    ("numbers-01.jpg", 640, 480),
    ("numbers-02.jpg", 640, 480),
    ("numbers-03.jpg", 800, 600),
    ("numbers-04.jpg", 1280, 720),
    ("numbers-05.jpg", 480, 640),
    ("numbers-06.jpg", 320, 240),
    ("numbers-07.jpg", 1024, 768),
    ("numbers-08.jpg", 640, 360),
    ("numbers-09.png", 320, 240),
    ("numbers-10.webp", 640, 480),
)
JPEG_QUALITY, WEBP_QUALITY = 88, 85
INPUT_WIDTH, INPUT_HEIGHT = 320, 240
# Digits of the demo are this large or larger where the detector sees them.
LEAST_SIZE = 20

VIDEO = "digits.mp4"
VIDEO_WIDTH, VIDEO_HEIGHT, RATE, FRAMES = 640, 480, 25, 250
# Digits of each moving number, and their size in pixels.
NUMBERS = ((1, 120), (2, 90), (3, 64), (2, 52), (4, 48))
# Share of frames in which numbers may touch or cover each other.
CROSSING_SHARE = (0.2, 0.3)


def numbers_of(scene):
    """Each number as text, by its index."""
    return ["".join(str(l) for l in scene.labels[scene.numbers == n]) for n in range(scene.numbers.max() + 1)]


def picture(held_out, width, height, first):
    """The first scene from index `first` on that has several numbers; returns it and the next index."""
    scale = 1 / min(INPUT_WIDTH / width, INPUT_HEIGHT / height)
    for index in range(first, first + 1000):
        scene = scenes.make(
            SEED,
            index,
            held_out,
            width,
            height,
            colour=True,
            groups=6,
            gap=round(6 * scale),
            scale=scale,
            clutter=False,
        )
        if len(scene.boxes) == 0:
            continue
        longest = sorted((len(n) for n in numbers_of(scene)), reverse=True)
        if len(longest) >= 3 and longest[1] >= 2 and scene.boxes[:, 2:].max(1).min() >= LEAST_SIZE * scale:
            return scene, index + 1
    raise SystemExit(f"no scene of {width}x{height} with several numbers")


def write_pictures(held_out, folder):
    truths, index = {}, 0
    for name, width, height in PICTURES:
        scene, index = picture(held_out, width, height, index)
        options = {
            ".jpg": [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
            ".png": [cv2.IMWRITE_PNG_COMPRESSION, 9],
            ".webp": [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY],
        }[Path(name).suffix]
        if not cv2.imwrite(str(folder / name), scene.image, options):
            raise SystemExit(f"{folder / name}: not written")
        truths[name] = {
            "width": width,
            "height": height,
            "numbers": numbers_of(scene),
            "digits": [
                {"label": str(label), "number": int(number), "box": [int(v) for v in box]}
                for box, label, number in zip(scene.boxes, scene.labels, scene.numbers)
            ],
        }
    return truths


@dataclass
class Mover:
    """A number that bounces between the edges. spots: offsets of its digits' ink boxes."""

    stamps: list
    spots: list
    width: int
    height: int
    start: np.ndarray
    speed: np.ndarray
    ink: np.ndarray

    def position(self, frame):
        room = np.array([VIDEO_WIDTH - self.width - 8, VIDEO_HEIGHT - self.height - 8])
        way = np.mod(self.start + self.speed * frame, 2 * room)
        return np.rint(np.minimum(way, 2 * room - way)).astype(int) + 4


def movers(random, held_out, low, high):
    made = []
    for length, size in NUMBERS:
        style = handwriting.random_style(random, 1)
        style.size = size
        stamps, spots = [], []
        while len(stamps) < length:
            stamps, spots = handwriting.random_number(random, held_out, style, length, size / handwriting.MIN_SIZE / 2)
        left, top = min(x for x, _ in spots), min(y for _, y in spots)
        spots = [(x - left, y - top) for x, y in spots]
        made.append(
            Mover(
                stamps,
                spots,
                width=max(x + m.box[2] for m, (x, _) in zip(stamps, spots)),
                height=max(y + m.box[3] for m, (_, y) in zip(stamps, spots)),
                start=np.zeros(2),
                speed=np.zeros(2),
                ink=shades.ink_brightness(random, low, high) + shades.tint(random, 70),
            )
        )
    return made


def crossings(cast):
    """Per frame: do boxes of two numbers' digits overlap?"""
    found = np.zeros(FRAMES, bool)
    for frame in range(FRAMES):
        places = []
        for mover in cast:
            x, y = mover.position(frame)
            places.append([(x + dx, y + dy, *m.box[2:]) for m, (dx, dy) in zip(mover.stamps, mover.spots)])
        found[frame] = any(
            a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
            for i, one in enumerate(places)
            for other in places[:i]
            for a in one
            for b in other
        )
    return found


def direct(random, cast):
    """Gives each number a way on which some frames, and not the first, have numbers that cross."""
    for _ in range(1000):
        for mover in cast:
            angle = random.uniform(0, 2 * np.pi)
            mover.start = random.uniform(0, 900, 2)
            mover.speed = random.uniform(1.0, 2.6) * np.array([np.cos(angle), np.sin(angle)])
        crossing = crossings(cast)
        if not crossing[0] and CROSSING_SHARE[0] <= crossing.mean() <= CROSSING_SHARE[1]:
            return
    raise SystemExit("no video with the wanted share of crossings")


def visible_shares(canvas):
    """canvas: number of the topmost digit per pixel and the ink count of each digit."""
    top, counts = canvas
    shown = np.bincount(top[top >= 0], minlength=len(counts))
    return shown / np.maximum(counts, 1)


def video_frame(random, backdrop, cast, frame):
    image = backdrop.copy()
    top = np.full(image.shape[:2], -1, int)
    objects, counts = [], []
    for number, mover in enumerate(cast):
        x0, y0 = mover.position(frame)
        for mark, (dx, dy) in zip(mover.stamps, mover.spots):
            x, y = int(x0 + dx), int(y0 + dy)
            handwriting.blend(image, mark, x, y, mover.ink)
            bx, by, width, height = mark.box
            ink = mark.coverage[by : by + height, bx : bx + width] > handwriting.INK
            top[y : y + height, x : x + width][ink] = len(objects)
            counts.append(int(ink.sum()))
            box = [x, y, int(width), int(height)]
            objects.append({"id": len(objects), "label": str(mark.label), "number": number, "box": box})
    for thing, share in zip(objects, visible_shares((top, counts))):
        thing["visible"] = round(float(share), 3)
    image += 2 * random.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8), objects


def write_video(held_out, path):
    random = np.random.default_rng([SEED, 0, 1])
    pattern = backgrounds.normalised(backgrounds.cloud(random, VIDEO_WIDTH, VIDEO_HEIGHT))
    low, high = 150.0, 185.0
    backdrop = (low + (high - low) * pattern)[..., None] + shades.tint(random, 30)
    cast = movers(random, held_out, low, high)
    direct(random, cast)
    encoder = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24"]
        + ["-s", f"{VIDEO_WIDTH}x{VIDEO_HEIGHT}", "-r", str(RATE), "-i", "-"]
        + ["-c:v", "libx264", "-preset", "slow", "-crf", "25", "-g", "50", "-pix_fmt", "yuv420p", "-threads", "1"]
        + ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", str(path)],
        stdin=subprocess.PIPE,
    )
    frames = []
    for frame in range(FRAMES):
        image, objects = video_frame(random, backdrop, cast, frame)
        encoder.stdin.write(image.tobytes())
        frames.append({"time": frame / RATE, "digits": objects})
    encoder.stdin.close()
    if encoder.wait() != 0:
        raise SystemExit("ffmpeg failed")
    numbers = ["".join(str(m.label) for m in mover.stamps) for mover in cast]
    return {"width": VIDEO_WIDTH, "height": VIDEO_HEIGHT, "rate": RATE, "numbers": numbers, "frames": frames}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).parents[2] / "Sources/framemesh/Resources/demo"
    arguments.add_argument("--output", type=Path, default=default)
    folder = arguments.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    held_out = digits.load()[1]
    truth = {"pictures": write_pictures(held_out, folder), "videos": {VIDEO: write_video(held_out, folder / VIDEO)}}
    (folder / "truth.json").write_text(json.dumps(truth, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
