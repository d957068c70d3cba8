#!/usr/bin/env python3
"""Meshes beside the same work in one process: pipelines, sizes, JPEG and raw pixels, at saturation, and one frame at a time.

    FRAMEMESH_MODELS=../shared/models benchmarks/mesh-vs-in-process.py PICTURE [SECONDS] [ROUNDS] [--json FILE]

Needs a release build and the models yolo-fastest-1.1 and squeezenet-1.1. A mesh has a detector and a classifier (apart), or a node that
does both (fused), with a worker for each core each; in one process a thread for each core does the work. A round measures all of them, one
after the other: what else the machine does then meets those that are compared, and ratios are of one round. What has a goal is measured
twice in a round. The meshes serve all cells; those whose turn it is not have only their health watches to do."""
import argparse
import contextlib
import dataclasses
import itertools
import os
import statistics

import framemesh

PIPELINES = ("detect", "classify", "detect+classify", "cascade")
SIZES = ("640x480", "1280x720")
# Callers of a mesh that keep all its workers at work.
SATURATING = 8
# `bench` takes models for the stages of its pipeline only.
MODELS = {"detect": framemesh.DETECT, "classify": framemesh.CLASSIFY}
CORES = len(os.sched_getaffinity(0))
DEFAULT, PLAIN = "default", "opencv"
IN_PROCESS = "in process"


@dataclasses.dataclass(frozen=True)
class Cell:
    pipeline: str
    size: str
    form: str
    asked_engine: str = DEFAULT
    at_once: int = SATURATING

    @property
    def has_goal(self):
        return (self.pipeline, self.size, self.form, self.at_once) == ("detect+classify", "640x480", "JPEG", SATURATING)


CELLS = [
    *(Cell(*each) for each in itertools.product(PIPELINES, SIZES, ("JPEG", "raw"))),
    Cell("detect+classify", "640x480", "JPEG", PLAIN),
    Cell("detect+classify", "640x480", "JPEG", at_once=1),
]


def engine_options(engine):
    return [] if engine == DEFAULT else ["--engine", engine]


def measure(cell, picture, seconds, coordinator):
    """The result of `bench`; no coordinator: in this process."""
    options = ["--pipeline", cell.pipeline, "--input", picture, "--size", cell.size, "--warmup", "0.4", "--duration", seconds]
    if cell.form == "raw":
        options.append("--raw")
    if coordinator:
        return framemesh.bench(*options, "--coordinator", coordinator, "--concurrency", cell.at_once)
    return framemesh.bench(
        *options, "--in-process", "--concurrency", min(cell.at_once, CORES),
        *MODELS.get(cell.pipeline, framemesh.MODELS), *engine_options(cell.asked_engine))


def kept(result):
    """Of one measurement."""
    point = result["points"][0]
    return {
        "frames_per_second": point["frames_per_second"], "p50_ms": point["latency_ms"]["p50"], "p99_ms": point["latency_ms"]["p99"],
        "detections": point["detections"], "failed": point["failed"], "is_stable": point["is_stable"],
    }


def summary(cell, engine, rounds):
    """How a mesh does beside one process in the same round: frames a second at saturation, else p50."""
    key, unit = ("frames_per_second", "frames/s") if cell.at_once > 1 else ("p50_ms", "ms p50")
    report = dataclasses.asdict(cell) | {"engine": engine, "key": key, "unit": unit, "has_goal": cell.has_goal, "kinds": {}}
    for name, measured in rounds.items():
        report["kinds"][name] = {
            "median": statistics.median(each[key] for each in measured),
            "of_in_process": framemesh.spread([a[key] / b[key] for a, b in zip(measured, rounds[IN_PROCESS])]),
            "failed": sum(each["failed"] for each in measured), "rounds": measured,
        }
    return report


def line(report):
    text = f"{report['pipeline']:15} {report['size']:8} {report['form']:4} {report['at_once']:2} at once, {report['engine']:14}"
    for name, kind in report["kinds"].items():
        text += f"  {name} {kind['median']:6.1f}"
        if name != IN_PROCESS:
            share = kind["of_in_process"]
            text += f" {share['median']:4.0%} ({share['least']:.0%} to {share['most']:.0%})"
        if kind["failed"]:
            text += f" {kind['failed']} FAILED"
    return f"{text} {report['unit']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("seconds", nargs="?", type=float, default=2)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    rounds, engines, record = {cell: {} for cell in CELLS}, {}, None
    with contextlib.ExitStack() as stack:
        def mesh(engine, *nodes):
            return stack.enter_context(framemesh.mesh(*nodes, *framemesh.MODELS, *engine_options(engine)))[1]
        meshes = {
            engine: {"apart": mesh(engine, "--detectors", 1, "--classifiers", 1), "fused": mesh(engine, "--nodes", 1)}
            for engine in (DEFAULT, PLAIN)}
        turns = [cell for cell in CELLS for _ in range(1 + cell.has_goal)]
        for cell in turns * options.rounds:
            for name, coordinator in {IN_PROCESS: None, **meshes[cell.asked_engine]}.items():
                result = measure(cell, options.picture, options.seconds, coordinator)
                rounds[cell].setdefault(name, []).append(kept(result))
                if name == IN_PROCESS:
                    engines[cell.asked_engine] = result["engine"]
                    record = record or result["environment"]
    reports = [summary(cell, engines[cell.asked_engine], each) for cell, each in rounds.items()]
    for report in reports:
        print(line(report))
    if options.json:
        framemesh.write(options.json, {"environment": record, "threads": CORES, "seconds": options.seconds, "cells": reports})


if __name__ == "__main__":
    main()
