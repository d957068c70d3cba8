"""Decode, detect, classify: the stages and the whole of it on every system, in turns, at three sizes, one at a time and two at once."""

import os
import pathlib
import statistics
import subprocess
import sys

import cv2

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent.parent / ".build/vision-bench"
SIZES = [(640, 480), (1280, 720), (1920, 1080)]
PLAIN = "plain OpenCV"
PEERS = ["onnxruntime", "openvino in Python"]
# What finds boxes, and what runs it and squeezenet-1.1. Our OpenVINO lacks the first one, which is Darknet's: in Python its raw heads,
# as ONNX, are decoded by hand.
DETECTORS = {
    "yolo-fastest-1.1": [PLAIN, "opencv", "opencv+onednn", *PEERS],
    "FastestDet": [PLAIN, "opencv", "opencv+onednn", "openvino", *PEERS],
}
# Of the second one's frames a second, the first one's.
RATIOS = [("opencv+onednn", PLAIN), ("opencv+onednn", "onnxruntime"), ("openvino", "openvino in Python")]
STAGES = ["decode", "preprocess", "infer", "postprocess", "total"]
# Boxes of one thing.
LEAST_OVERLAP = 0.9
QUALITY = 90


def command(system, detector, models):
    if system == PLAIN:
        return [OUT / "pipeline_opencv", detector, models]
    if system in PEERS:
        return [sys.executable, HERE / "pipeline_peers.py", system.split()[0], detector, models]
    return [OUT / "pipeline", system, detector, models]


class Process:
    """A system with its pipeline."""

    def __init__(self, system, detector, models, pictures):
        self.process = subprocess.Popen(
            [str(each) for each in [*command(system, detector, models), *pictures]], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        self.found = [self._found(system) for _ in pictures]

    def _found(self, system):
        """The top class, and class, x, y, width and height of each box."""
        values = [float(text) for text in self.process.stdout.readline().split()]
        if not values:
            sys.exit(f"{system} does not run")
        return int(values[0]), [values[i:i + 5] for i in range(1, len(values), 5)]

    def start(self, picture, seconds):
        self.process.stdin.write(f"{picture} {seconds}\n")
        self.process.stdin.flush()

    def times(self):
        """Frames a second, and each frame's stages."""
        elapsed, *values = [float(text) for text in self.process.stdout.readline().split()]
        frames = [values[i:i + len(STAGES)] for i in range(0, len(values), len(STAGES))]
        return len(frames) * 1000 / elapsed, frames

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- what is right ----


def overlap(a, b):
    """Intersection over union."""
    _, ax, ay, aw, ah = a
    _, bx, by, bw, bh = b
    common = max(0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0, min(ay + ah, by + bh) - max(ay, by))
    return common / max(aw * ah + bw * bh - common, 1e-9)


def agree(one, other):
    """The same top class, and as many boxes, of the same classes in the same places."""
    left = list(other[1])
    for box in one[1]:
        same = [each for each in left if each[0] == box[0] and overlap(each, box) >= LEAST_OVERLAP]
        if not same:
            return False
        left.remove(same[0])
    return one[0] == other[0] and not left


def check(detector, found):
    """Ends the run where a system finds something else than the first one, or the first one nothing."""
    for index, (width, height) in enumerate(SIZES):
        first = found[PLAIN][index]
        if not first[1]:
            sys.exit(f"{detector} finds nothing in the picture of {width} x {height}")
        for system, each in found.items():
            if not agree(first, each[index]):
                sys.exit(f"{detector}, {width} x {height}: {system} finds {each[index]}, {PLAIN} {first}")


# ---- rounds ----


def sized(picture):
    """The picture in each size, as files."""
    pixels = cv2.imread(str(picture))
    if pixels is None:
        sys.exit(f"{picture} is no picture")
    paths = []
    for width, height in SIZES:
        paths.append(OUT / f"{width}x{height}.jpg")
        cv2.imwrite(str(paths[-1]), cv2.resize(pixels, (width, height)), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return paths


def turn(processes, picture, seconds):
    """A round of one system: its first process for itself, then both at once."""
    processes[0].start(picture, seconds)
    alone, frames = processes[0].times()
    for process in processes:
        process.start(picture, seconds)
    return {
        "frames_per_second": {"one": alone, "two": sum(process.times()[0] for process in processes)},
        "stages_ms": {stage: statistics.median(each) for stage, each in zip(STAGES, zip(*frames))},
    }


def measure(picture, models, rounds, seconds):
    """Of each detector, size and system: the rounds."""
    pictures, results = sized(picture), {}
    for detector, systems in DETECTORS.items():
        running = {system: [Process(system, detector, models, pictures) for _ in range(2)] for system in systems}
        check(detector, {system: processes[0].found for system, processes in running.items()})
        cells = {f"{width} × {height}": {system: [] for system in systems} for width, height in SIZES}
        for _ in range(rounds):
            for index, of_size in enumerate(cells.values()):
                for system, processes in running.items():
                    of_size[system].append(turn(processes, index, seconds))
        for process in (process for processes in running.values() for process in processes):
            process.close()
        results[detector] = cells
    return results


def ratios(systems, one, other, at_once):
    """Within the rounds: what slows a round down slows both."""
    pairs = zip(systems[one], systems[other])
    return [a["frames_per_second"][at_once] / b["frames_per_second"][at_once] for a, b in pairs]


def ranged(values, decimals=2):
    median, least, most = (f"{each:.{decimals}f}" for each in (statistics.median(values), min(values), max(values)))
    return f"{median} ({least} to {most})" if least != most else median


def table(results):
    lines = []
    for size in next(iter(results.values())):
        lines += [
            f"| {size}, ms | " + " | ".join(STAGES) + " | frames/s | two at once, frames/s |", "|---|" + "---|" * (len(STAGES) + 2)]
        for detector, cells in results.items():
            for system, rounds in cells[size].items():
                stages = [ranged([each["stages_ms"][stage] for each in rounds]) for stage in STAGES]
                rates = [ranged([each["frames_per_second"][count] for each in rounds], 1) for count in ("one", "two")]
                lines.append(f"| {detector}, {system} | " + " | ".join(stages + rates) + " |")
        lines.append("")
    lines += ["| frames/s, one at a time / two at once | " + " | ".join(f"{a} ÷ {b}" for a, b in RATIOS) + " |"]
    lines += ["|---|" + "---|" * len(RATIOS)]
    for detector, cells in results.items():
        for size, systems in cells.items():
            texts = [
                " / ".join(ranged(ratios(systems, a, b, count)) for count in ("one", "two")) if {a, b} <= systems.keys() else "–"
                for a, b in RATIOS]
            lines.append(f"| {detector}, {size} | " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"
