#!/usr/bin/env python3
"""What the coordinator adds to the latency of a 640×480 JPEG, one at a time: a detector is asked directly, and through a coordinator, in
turns. Printed are p50 of both, and the median of the rounds' differences.

    benchmarks/coordinator-latency.py [--rounds N] [--seconds S] [--json FILE]

Needs a release build. Once with a detector that runs no network (`--simulate-ms 0`: it decodes the picture and answers), and once with the
bundled one."""
import argparse
import statistics

import framemesh

DETECTORS = {"simulated, 0 ms": ["--simulate-ms", 0], "digits-detector": []}


def measure(place, seconds):
    """The result, one frame at a time."""
    return framemesh.bench(*place, "--pipeline", "detect", "--size", "640x480", "--warmup", 0.3, "--duration", seconds)


def rounds(detector, count, seconds):
    """Each with a result of the detector and one of the coordinator; every other one the other way round."""
    with framemesh.serving("detector", "--listen", "127.0.0.1:0", *DETECTORS[detector]) as (_, node):
        with framemesh.serving("coordinator", "--listen", "127.0.0.1:0", "--detectors", node, "--classifiers", "none") as (_, coordinator):
            places = {"node": ["--node", node], "coordinator": ["--coordinator", coordinator]}
            for number in range(count):
                names = list(places) if number % 2 == 0 else list(reversed(places))
                yield {name: measure(places[name], seconds) for name in names}


def kept(points):
    """Of one round."""
    return {
        "failed": sum(point["failed"] for point in points.values()), "is_stable": all(point["is_stable"] for point in points.values())}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--json")
    options = parser.parse_args()
    report = {"seconds": options.seconds, "detectors": {}}
    for detector in DETECTORS:
        found = list(rounds(detector, options.rounds, options.seconds))
        report.setdefault("environment", found[0]["node"]["environment"])
        points = [{name: result["points"][0] for name, result in each.items()} for each in found]
        p50 = {name: [each[name]["latency_ms"]["p50"] for each in points] for name in ("node", "coordinator")}
        added = framemesh.spread([b - a for a, b in zip(p50["node"], p50["coordinator"])])
        failed = sum(point["failed"] for each in points for point in each.values())
        report["detectors"][detector] = {
            "added_p50_ms": added, "p50_ms": p50, "rounds": [kept(each) for each in points]}
        print(f"{detector:16} p50 {statistics.median(p50['node']):.2f} ms, with a coordinator {statistics.median(p50['coordinator']):.2f} ms: "
              f"{added['median']:.2f} ms more ({added['least']:.2f} to {added['most']:.2f})" + (f", {failed} FAILED" if failed else ""))
    if options.json:
        framemesh.write(options.json, report)


if __name__ == "__main__":
    main()
