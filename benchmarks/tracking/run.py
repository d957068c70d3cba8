#!/usr/bin/env python3
"""The tracker beside two ByteTracks in Python, on the same detections: IDF1, and what an update costs.

    benchmarks/tracking/run.py [--quick] [--sequences DIR] [--json FILE]

Makes its own environment in .build/tracking-venv. Wants the program `tracker-run` (`make build-tests`). What is compared,
and what the figures were: benchmarks/README.md.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent))
import framemesh  # noqa: E402

VENV = ROOT / ".build/tracking-venv"
WORK = ROOT / ".build/tracking"
PROGRAM = ROOT / ".build/release/tracker-run"
SEQUENCES = ROOT / "Tests/TrackingTests/Sequences"
# Which frames are dropped: a seed each.
DROPS = (1, 2, 3)
KEPT = 0.5
COUNTS = (10, 100, 1000)
ROUNDS, QUICK_ROUNDS = 5, 1
# Of each peer in a round, of which the quickest counts.
PASSES = 2
RATE = 25
FRAMES = 100


def enter_environment():
    """Runs this file again with the environment's Python, which it makes first."""
    if Path(sys.prefix).resolve() == VENV.resolve():
        return
    wanted = (HERE / "requirements.txt").read_bytes()
    stamp = VENV / "requirements.installed"
    if not stamp.exists() or stamp.read_bytes() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        install = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(HERE / "requirements.txt")], check=True)
        stamp.write_bytes(wanted)
    os.execv(VENV / "bin/python", [str(VENV / "bin/python"), __file__, *sys.argv[1:]])


enter_environment()
warnings.simplefilter("ignore")
import numpy as np  # noqa: E402

# motmetrics 1.4 calls what NumPy 2 has no more.
np.asfarray = lambda values: np.asarray(values, float)
import motmetrics  # noqa: E402
import supervision  # noqa: E402
import trackers  # noqa: E402


def rows_of(path):
    """Frame to rows of the other columns."""
    rows = {}
    for line in Path(path).read_text().splitlines():
        values = [float(v) for v in line.split(",")]
        rows.setdefault(int(values[0]), []).append(values[1:])
    return {frame: np.array(values) for frame, values in rows.items()}


def detections_of(rows):
    if rows is None:
        return supervision.Detections.empty()
    boxes = rows[:, 1:5].copy()
    boxes[:, 2:] += boxes[:, :2]
    return supervision.Detections(xyxy=boxes, confidence=rows[:, 5], class_id=rows[:, 6].astype(int))


class Ours:
    name = "framemesh"

    def follow(self, source, frames, repeats=1):
        """Tracks as {frame: rows of id, box}, and seconds an update."""
        WORK.mkdir(parents=True, exist_ok=True)
        (WORK / "frames.txt").write_text("\n".join(map(str, frames)) + "\n")
        output = WORK / "tracks.txt"
        command = [PROGRAM, "--detections", source, "--frames", WORK / "frames.txt", "--rate", RATE]
        command += ["--output", output, "--repeats", repeats]
        printed = subprocess.run([str(v) for v in command], check=True, capture_output=True, text=True).stdout
        return rows_of(output), json.loads(printed)["seconds"] / len(frames)


class Python:
    def follow(self, source, frames, repeats=1):
        rows = rows_of(source)
        found = [(frame, detections_of(rows.get(frame))) for frame in frames]
        best, tracks = float("inf"), {}
        for _ in range(repeats):
            tracker, tracks = self.make(), {}
            begin = time.perf_counter()
            answers = [(frame, self.update(tracker, detections, frame)) for frame, detections in found]
            best = min(best, time.perf_counter() - begin)
        for frame, answer in answers:
            kept = answer.tracker_id >= 0 if len(answer) else np.zeros(0, bool)
            boxes = answer.xyxy[kept].copy()
            boxes[:, 2:] -= boxes[:, :2]
            if len(boxes):
                tracks[frame] = np.column_stack([answer.tracker_id[kept], boxes])
        return tracks, best / len(frames)


class Trackers(Python):
    """Roboflow's `trackers`: each frame with its time."""

    def __init__(self, own):
        self.own = own
        self.name = "trackers " + version("trackers") + (", own settings" if own else ", our thresholds")

    def make(self):
        if self.own:
            return trackers.ByteTrackTracker(frame_rate=RATE)
        return trackers.ByteTrackTracker(
            frame_rate=RATE, lost_track_buffer=36, track_activation_threshold=0.25, high_conf_det_threshold=0.25,
            minimum_iou_threshold=0.2,
        )

    def update(self, tracker, detections, frame):
        return tracker.update(detections, timestamp=(frame - 1) / RATE)


class Supervision(Python):
    """`supervision`, which knows no times: a frame is a frame."""

    name = "supervision " + version("supervision")

    def make(self):
        return supervision.ByteTrack(frame_rate=RATE)

    def update(self, tracker, detections, frame):
        return tracker.update_with_detections(detections)


def score(truth, tracks, frames):
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for frame in frames:
        objects = truth.get(frame, np.zeros((0, 8)))
        objects = objects[objects[:, 5] >= 1]
        found = tracks.get(frame, np.zeros((0, 5)))
        distances = motmetrics.distances.iou_matrix(objects[:, 1:5], found[:, 1:5], max_iou=0.5)
        accumulator.update(objects[:, 0].astype(int), found[:, 0].astype(int), distances)
    return accumulator


def quality(peers, videos):
    """IDF1 over all videos, of all frames and of the half that is left."""
    result = {}
    metrics = motmetrics.metrics.create()
    sequences = sorted(videos.iterdir())
    for peer in peers:
        lines = {}
        for title, seeds in (("all frames", (None,)), ("half of the frames", DROPS)):
            scores, names = [], []
            for folder in sequences:
                truth = rows_of(folder / "gt/gt.txt")
                for seed in seeds:
                    frames = sorted(truth)
                    if seed is not None:
                        random = np.random.default_rng(seed)
                        frames = [frame for frame in frames if random.random() < KEPT]
                    tracks, _ = peer.follow(folder / "det/det.txt", frames)
                    scores.append(score(truth, tracks, frames))
                    names.append(f"{folder.name} {seed}")
            table = metrics.compute_many(
                scores, names=names, metrics=["idf1", "mota", "num_switches"], generate_overall=True
            )
            lines[title] = {
                "idf1": round(float(table.loc["OVERALL", "idf1"]), 4),
                "least_idf1": round(float(table["idf1"].min()), 4),
                "mota": round(float(table.loc["OVERALL", "mota"]), 4),
                "switches": int(table.loc["OVERALL", "num_switches"]),
            }
        result[peer.name] = lines
    return result


def crowd(count):
    """Detections of `count` walkers that cover a tenth of the picture, whatever their number."""
    random = np.random.default_rng([7, count])
    width, height = 1920.0, 1080.0
    side = np.sqrt(0.1 * width * height / (2 * count))
    size = np.array([side, 2 * side])
    place = random.uniform(0, 1, (count, 2)) * (np.array([width, height]) - size)
    speed = random.normal(0, 1.5, (count, 2)) * side
    lines = []
    for frame in range(1, FRAMES + 1):
        place += speed / RATE
        seen = random.random(count) >= 0.03
        noisy = place + random.normal(0, 0.02, (count, 2)) * size
        sizes = size * (1 + random.normal(0, 0.02, (count, 2)))
        confidence = np.clip(random.normal(0.8, 0.12, count), 0.1, 0.99)
        for (x, y), (w, h), sure in zip(noisy[seen], sizes[seen], confidence[seen]):
            lines.append(f"{frame},-1,{x:.2f},{y:.2f},{w:.2f},{h:.2f},{sure:.3f},0")
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"crowd-{count}.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def cost(peers, rounds):
    """Microseconds an update, median of the rounds; one peer after the other in each round."""
    result = {}
    for count in COUNTS:
        source, times = crowd(count), {peer.name: [] for peer in peers}
        for _ in range(rounds):
            for peer in peers:
                _, seconds = peer.follow(source, range(1, FRAMES + 1), PASSES)
                times[peer.name].append(seconds * 1e6)
        result[count] = {name: round(statistics.median(values), 2) for name, values in times.items()}
    return result


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments.add_argument("--sequences", type=Path, default=SEQUENCES, help="other videos, of dev/digits/make_sequences.py")
    arguments.add_argument("--json", type=Path, help="where the figures go, besides the terminal")
    options = arguments.parse_args()
    if not PROGRAM.exists():
        raise SystemExit(f"{PROGRAM} is not there: make build-tests")
    ours, peers = Ours(), [Trackers(own=True), Trackers(own=False), Supervision()]
    figures = {"environment": framemesh.environment()}
    figures["quality"] = quality([ours, *peers], options.sequences)
    for name, lines in figures["quality"].items():
        for title, line in lines.items():
            print(f"{name:32} {title:20} {' '.join(f'{k} {v}' for k, v in line.items())}")
    figures["microseconds"] = cost([ours, *peers], QUICK_ROUNDS if options.quick else ROUNDS)
    for count, line in figures["microseconds"].items():
        for name, value in line.items():
            print(f"{count:5} objects  {name:32} {value:10.1f} us an update  {value / line[ours.name]:7.1f} x")
    if options.json:
        framemesh.write(options.json, figures)


if __name__ == "__main__":
    main()
