#!/usr/bin/env python3
"""The gateway beside servers in Python of the same models: same pictures, same cores, one run.

    benchmarks/flask/run.py [--quick] [--peers NAME,…] [--engine E …] [--models DETECTOR,CLASSIFIER] [--picture FILE …]
                            [--seconds S] [--rounds N] [--output FILE]

Needs a release build, and python3 with venv; makes benchmarks/flask/.venv from PyPI. With FRAMEMESH_MODELS (default:
../shared/models of the project, if it is there) the models are yolo-fastest-1.1 and squeezenet-1.1, else the bundled
ones. Exit code 1: a server answered something else than the others, or wrong under load.
"""

import argparse
import collections
import contextlib
import datetime
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import load
import peers

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent))
import framemesh  # noqa: E402

VENV = HERE / ".venv"
CONCURRENCIES = ("1", "8", "32")
# The open loop's share of the slower side's best throughput.
LOAD_SHARE = 0.7
# At this load one slow moment of the machine, of which there are several in a minute, is all of a round's tail, and takes
# some tenths of a second to pass. In the middle one of many short rounds there is mostly none; three long ones told the moment.
OPEN_ROUNDS = 5
# Throughput beside the best rival, by the mesh's engine and how many at once, and p99 beside the best one's at the same open load.
GOALS = {
    "opencv": {"1": 1.1, "8": 0.85, "32": 0.85}, "opencv+onednn": {"1": 1.1, "8": 0.85, "32": 0.85},
    "openvino": {"8": 1.0, "32": 1.0},
}
TAIL_GOAL = 0.8
# Rivals of a mesh have its engine, at its precision. These stand beside them in its open loop, and are in no ratio.
BESIDE = {"openvino": ("onnxruntime", "openvino-default")}
# Of the pictures, in which a server may find other things than the first one: engines of two OpenCV versions differ in the last
# digits, and something may be just sure enough for one of them.
TOLERATED = 0.2
# Boxes of one thing.
LEAST_OVERLAP = 0.7


def environment(models):
    values = dict(os.environ)
    shared = ROOT.parent / "shared/models"
    if not values.get("FRAMEMESH_MODELS") and shared.is_dir():
        values["FRAMEMESH_MODELS"] = str(shared)
    folders = [Path(folder) for folder in values.get("FRAMEMESH_MODELS", "").split(":") if folder]
    has_real = any((folder / "squeezenet_v1.1.onnx").is_file() for folder in folders)
    usual = "yolo-fastest-1.1,squeezenet-1.1" if has_real else "digits-detector,digits-classifier"
    detect, classify = (models or usual).split(",")
    return values | {"DETECT_MODEL": detect, "CLASSIFY_MODEL": classify, "PYTHONDONTWRITEBYTECODE": "1"}


def prepare_venv():
    wanted, installed = (HERE / "requirements.txt").read_text(), VENV / "requirements.installed"
    if installed.is_file() and installed.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    installed.write_text(wanted)


# ---- what is right ----


def found_by(target, pictures):
    """The answer to each picture."""
    connection, found = target.connect(), []
    for picture in pictures:
        status, body = target.send(connection, target.protocol.body(picture))
        if status != load.OK:
            raise SystemExit(f"{target.name} answered {status}: {body[:300].decode(errors='replace')}")
        found.append(target.protocol.answer(body))
    connection.close()
    return found


def agree(one, other):
    """The same class, and boxes of the same labels in the same places; numbers may differ."""
    if one["classes"][0]["label"] != other["classes"][0]["label"] or len(one["detections"]) != len(other["detections"]):
        return False
    left = list(other["detections"])
    for each in one["detections"]:
        same = [a for a in left if a["label"] == each["label"] and overlap(a["box"], each["box"]) >= LEAST_OVERLAP]
        if not same:
            return False
        left.remove(same[0])
    return True


def overlap(a, b):
    """Intersection over union."""
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    common = max(0, wide) * max(0, high)
    return common / max(a["width"] * a["height"] + b["width"] * b["height"] - common, 1e-9)


def check(targets, pictures):
    """All find the same as the first one, and are told what their answers under load have to have in them."""
    first = None
    for target in targets:
        found = found_by(target, pictures)
        first = first or found
        differ = sum(not agree(a, b) for a, b in zip(first, found))
        if differ > len(pictures) * TOLERATED:
            raise SystemExit(f"{target.name} finds other things than {targets[0].name} in {differ} of {len(pictures)} pictures")
        target.requests = [
            load.Request(target.protocol.body(picture), f'"{each["classes"][0]["label"]}'.encode()) for picture, each in zip(pictures, found)]


# ---- rounds ----


def in_turns(targets, count, measure, key, what):
    """So that what else the machine does meets all of them; kept is the round in the middle, by `key`."""
    outcomes = {target.name: [] for target in targets}
    for _ in range(count):
        for target in targets:
            outcomes[target.name].append(measure(target).summary())
            print(f"{target.name}, {what}: {outcomes[target.name][-1]}", file=sys.stderr)
    return {name: in_the_middle(each, key) for name, each in outcomes.items()}


def in_the_middle(rounds, key):
    """With the failures of all."""
    failures = collections.Counter()
    for each in rounds:
        failures.update(each["failures_by_status"])
    middle = sorted(rounds, key=lambda each: each[key])[len(rounds) // 2]
    return middle | {
        "failures": failures.total(), "failures_by_status": dict(failures), f"{key}_of_rounds": [each[key] for each in rounds]}


def peak(results, name):
    return max(each["requests_per_second"] for each in results[name].values())


def open_loop(ours, rivals, beside, results, arguments, seconds, warmup):
    """A mesh and its rivals at the same rate: below what the slower one of it and the best of them can do."""
    best = max(rivals, key=lambda target: peak(results, target.name))
    rate = LOAD_SHARE * min(peak(results, best.name), peak(results, ours.name))
    outcomes = in_turns(
        [ours, *rivals, *beside], OPEN_ROUNDS * arguments.rounds, lambda target: load.open_loop(target, rate, seconds, warmup), "p99_ms",
        f"{rate:.0f}/s")
    return {"rate": round(rate, 1), "best_rival": best.name, "rivals": [target.name for target in rivals], "results": outcomes}


def of_rounds(ours, other, key):
    """Ratios within each round: median, least, most. So busy a machine that nobody else was answered says nothing: 0."""
    pairs = zip(ours[f"{key}_of_rounds"], other[f"{key}_of_rounds"])
    found = [a / b for a, b in pairs if b]
    return [statistics.median(found), min(found), max(found)] if found else [0.0]


def ratios(results, loop, name, goals):
    """Throughput beside the best rival of each load, and the tail beside the best one's; with the least and the most of the rounds."""
    found = {}
    for concurrency in CONCURRENCIES:
        best = max((results[rival][concurrency] for rival in loop["rivals"]), key=lambda each: each["requests_per_second"])
        value, *spread = of_rounds(results[name][concurrency], best, "requests_per_second")
        goal = goals.get(concurrency)
        found[f"{name}: throughput, {concurrency} at once"] = (
            value, goal and f"≥ {goal}", goal is None or value >= goal, *spread)
    # Whoever failed some of it has no tail to compare with.
    opened = loop["results"]
    tails = [opened[rival] for rival in loop["rivals"] if not opened[rival]["failures"]]
    best = min(tails, key=lambda each: each["p99_ms"], default=None)
    value, *spread = of_rounds(opened[name], best, "p99_ms") if best else [0.0]
    is_met = value <= TAIL_GOAL and opened[name]["failures"] == 0
    found[f"{name}: p99, open loop"] = (value, f"≤ {TAIL_GOAL} without failures", is_met, *spread)
    return found


# ---- reports ----


def table(rows, columns):
    widths = [max(len(str(row[at])) for row in [columns, *rows]) for at in range(len(columns))]
    lines = [" | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) for row in [columns, *rows]]
    return "\n".join(f"| {line} |" for line in [lines[0], " | ".join("-" * width for width in widths), *lines[1:]])


def cell(each):
    if not each:
        return ""
    failed = f" {each['failures']} failed" if each["failures"] else ""
    return f"{each['requests_per_second']} ({each['p50_ms']:.0f}/{each['p99_ms']:.0f}){failed}"


def text(report):
    """Markdown."""
    loops = report["open_loops"]
    columns = ["requests/s (p50/p99 ms)", *(f"{each} at once" for each in CONCURRENCIES)]
    columns += [f"open loop, {loop['rate']:.0f}/s" for loop in loops.values()]
    rows = [
        [name, *(cell(by.get(each)) for each in CONCURRENCIES), *(cell(loop["results"].get(name)) for loop in loops.values())]
        for name, by in report["results"].items()]
    lines = [table(rows, columns), ""]
    for name, (value, goal, is_met, *spread) in report["ratios"].items():
        lines.append(
            f"{name}: {value:.2f}" + (" ({:.2f} to {:.2f})".format(*spread) if spread else "")
            + (f" (goal {goal}{'' if is_met else ', MISSED'})" if goal else ""))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a fifth of the time; noisy")
    parser.add_argument("--seconds", type=float, help="of each measurement of a round (5, quick 2)")
    parser.add_argument("--rounds", type=int, help="(3, quick 1)")
    parser.add_argument("--picture", type=Path, action="append", help="JPEG; default: the bundled ones")
    parser.add_argument(
        "--peers", default=",".join(peers.DEFAULT_PEERS), help=f"with commas, of {', '.join(peers.PEERS)} (default: %(default)s)")
    parser.add_argument(
        "--engine", action="append", choices=list(GOALS), help="of the mesh; several: a mesh each (default: opencv, which peers have, too)")
    parser.add_argument("--models", help="DETECTOR,CLASSIFIER; those of engines other than OpenCV are ONNX")
    parser.add_argument("--output", type=Path, help="JSON (default: results/latest.json)")
    arguments = parser.parse_args()
    names = arguments.peers.split(",")
    if unknown := [name for name in names if name not in peers.PEERS]:
        parser.error(f"no peer {unknown[0]}; there are {', '.join(peers.PEERS)}")
    engines = arguments.engine or ["opencv"]
    seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    warmup = 0.3 if arguments.quick else 1
    paths = arguments.picture or sorted((ROOT / "Sources/framemesh/Resources/demo").glob("*.jpg"))
    pictures = [path.read_bytes() for path in paths]
    if not peers.FRAMEMESH.is_file():
        raise SystemExit(f"{peers.FRAMEMESH} is missing: make build")
    prepare_venv()

    machine, values, cores = framemesh.environment(), environment(arguments.models), os.cpu_count()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        meshes = {engine: stack.enter_context(peers.gateway(values, engine)) for engine in engines}
        others = {name: stack.enter_context(peers.started(peers.PEERS[name], values, cores)) for name in names}
        targets = [*meshes.values(), *others.values()]
        check(targets, pictures)

        results = {target.name: {} for target in targets}
        for concurrency in CONCURRENCIES:
            outcomes = in_turns(
                targets, arguments.rounds, lambda target: load.closed_loop(target, int(concurrency), seconds, warmup),
                "requests_per_second", concurrency)
            for name, outcome in outcomes.items():
                results[name][concurrency] = outcome
        loops, compared = {}, {}
        for engine, ours in meshes.items():
            of = lambda kinds: [others[name] for name in names if peers.PEERS[name].engine in kinds]
            if rivals := of([engine.partition("+")[0]]):
                loops[ours.name] = open_loop(ours, rivals, of(BESIDE.get(engine, ())), results, arguments, seconds, warmup)
                compared |= ratios(results, loops[ours.name], ours.name, GOALS[engine])
        check(targets, pictures)

    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "quick": arguments.quick, "cores": cores,
        "environment": machine, "models": [values["DETECT_MODEL"], values["CLASSIFY_MODEL"]],
        "pictures": [path.name for path in paths], "seconds": seconds, "rounds": arguments.rounds, "results": results,
        "open_loops": loops, "ratios": compared, "took_seconds": round(time.monotonic() - started, 1),
    }
    output = arguments.output or HERE / "results/latest.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    print(text(report))
    print(f"{output} has all of it")
    # A refusal is a failure that is counted; what is wrong is no measurement.
    loads = [*results.values(), *(loop["results"] for loop in loops.values())]
    if any(load.WRONG in each["failures_by_status"] for by in loads for each in by.values()):
        raise SystemExit("a server answered something else under load")


if __name__ == "__main__":
    main()
