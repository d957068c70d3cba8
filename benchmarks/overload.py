#!/usr/bin/env python3
"""What is left of a mesh when more is sent than it can do: goodput of unary calls at up to ten times its capacity, and the age of frames
from cameras with the policy `latest`.

    benchmarks/overload.py [--rounds N] [--json FILE]

Needs a release build. Two nodes of one worker each that wait for 20 ms in place of computing; frames are raw, 128×128. Each round finds
the capacity anew, then sends so many times as much, in an open loop and from four cameras."""
import argparse
import statistics

import framemesh

MESH = ["--up", "--nodes", 2, "--workers", 1, "--simulate-ms", 20, "--pipeline", "detect", "--size", "128x128", "--raw"]
# Three windows each.
WINDOWS = ["--warmup", 1, "--window", 2]
LOADS = {
    "unary": ["--overload", "0.5,1,2,5,10"],
    "latest": ["--overload", "0.5,10", "--streams", 4, "--policy", "latest"],
}
QUIET, MOST = 0.5, 10


def at(result, factor):
    return next(point for point in result["points"] if point["load"].get("factor") == factor)


def goodput(result):
    """At ten times the capacity, of the most that was answered at any load."""
    return at(result, MOST)["frames_per_second"] / max(point["frames_per_second"] for point in result["points"])


def age(result):
    """p99 at ten times the capacity, of that at half of it."""
    return at(result, MOST)["latency_ms"]["p99"] / at(result, QUIET)["latency_ms"]["p99"]


def kept(point):
    """Of one load."""
    names = ("load", "frames_per_second", "answered", "failed", "refused", "errors", "dropped", "drops", "unanswered", "unsent",
             "oldest_unanswered_ms", "longest_answered_ms", "latency_ms", "is_stable")
    return {name: point[name] for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {name: [] for name in LOADS}
    for _ in range(options.rounds):
        for name, load in LOADS.items():
            results[name].append(framemesh.bench(*MESH, *WINDOWS, *load))
    report = {
        "environment": results["unary"][0]["environment"],
        "goodput_of_peak": framemesh.spread([goodput(result) for result in results["unary"]]),
        "age_p99_of_quiet": framemesh.spread([age(result) for result in results["latest"]]),
        "rounds": {name: [[kept(point) for point in result["points"]] for result in each] for name, each in results.items()},
    }
    for name, rounds in report["rounds"].items():
        for points in zip(*rounds):
            def median(value):
                return statistics.median(map(value, points))
            factor = points[0]["load"].get("factor")
            print(f"{name:7} {f'{factor:g} x' if factor else 'capacity':>8} {median(lambda p: p['frames_per_second']):7.1f} frames/s, p99 "
                  f"{median(lambda p: p['latency_ms']['p99']):7.1f} ms, {sum(p['refused'] for p in points)} refused, "
                  f"{sum(p['failed'] - p['refused'] for p in points)} failed otherwise, {sum(p['dropped'] for p in points)} dropped, "
                  f"oldest without an answer {max(p['oldest_unanswered_ms'] for p in points):.0f} ms")
    for name in ("goodput_of_peak", "age_p99_of_quiet"):
        print(f"{name.replace('_', ' ')}: {report[name]['median']:.2f} ({report[name]['least']:.2f} to {report[name]['most']:.2f})")
    if options.json:
        framemesh.write(options.json, report)


if __name__ == "__main__":
    main()
