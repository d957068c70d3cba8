#!/usr/bin/env python3
"""How far one coordinator reaches: frames a second and processor time of the coordinator with 1, 2, 4, … nodes that wait in place of
computing (`--simulate-ms`), so that a few cores can show many nodes. Rounds go up and down in turns; medians are printed.

    benchmarks/scaling.py [--nodes 1,2,4,8] [--ms 20] [--rounds 3] [--seconds 5] [--json FILE]

Needs a release build. Frames are raw, 128×128 (48 KiB), so that nodes decode nothing; two are on their way for each node."""
import argparse
import json
import os
import statistics
import subprocess

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.build/release/framemesh")
FRAMES_PER_NODE = 2


def run(nodes, ms, seconds):
    """One result of `framemesh bench`."""
    result = subprocess.run(
        [PROGRAM, "bench", "--up", "--nodes", str(nodes), "--workers", "1", "--simulate-ms", str(ms), "--pipeline", "detect",
         "--size", "128x128", "--raw", "--concurrency", str(FRAMES_PER_NODE * nodes), "--duration", str(seconds), "--json", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return json.loads(result.stdout)


def processor(point, role):
    """Microseconds of a frame, of all processes of the role."""
    return sum(process["cpu_seconds_per_thousand"] for process in point["processes"] if process["name"] == role) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="1,2,4,8")
    parser.add_argument("--ms", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    counts = [int(count) for count in options.nodes.split(",")]
    results = {count: [] for count in counts}
    for number in range(options.rounds):
        for count in counts if number % 2 == 0 else reversed(counts):
            results[count].append(run(count, options.ms, options.seconds))
    if options.json:
        with open(options.json, "w") as file:
            for count in counts:
                file.writelines(json.dumps(result) + "\n" for result in results[count])
    print(f"{'nodes':>5} {'frames/s':>9} {'of ideal':>8} {'p50 ms':>7} {'p99 ms':>7} {'coordinator us':>14} {'nodes us':>9} {'client us':>9}")
    for count in counts:
        points = [result["points"][0] for result in results[count]]

        def median(value):
            return statistics.median(map(value, points))
        rate = median(lambda point: point["frames_per_second"])
        print(f"{count:5} {rate:9.1f} {rate / (count * 1000 / options.ms):8.0%} {median(lambda p: p['latency_ms']['p50']):7.1f}"
              f" {median(lambda p: p['latency_ms']['p99']):7.1f} {median(lambda p: processor(p, 'coordinator')):14.0f}"
              f" {median(lambda p: processor(p, 'node')):9.0f} {median(lambda p: processor(p, 'bench')):9.0f}")
        failed = sum(point["failed"] for point in points)
        if failed:
            print(f"      {failed} frames failed")


if __name__ == "__main__":
    main()
