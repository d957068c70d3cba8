#!/usr/bin/env python3
"""How far one coordinator reaches: frames a second and processor time of the coordinator with 1, 2, 4, … nodes that wait in place of
computing (`--simulate-ms`), so that a few cores can show many nodes. Rounds go up and down in turns; medians are printed.

    benchmarks/scaling.py [--nodes 1,2,4,8] [--ms 20] [--rounds 3] [--seconds 5] [--json FILE] [--against PROGRAM]

Needs a release build. Frames are raw, 128×128 (48 KiB), so that nodes decode nothing; two are on their way for each node, or as many
in all as --concurrency says. --against is another build of the program (an earlier one), which is measured in turns with this one; the ratio of
the medians of what a frame costs the coordinator is printed, and the least and largest of the single rounds."""
import argparse
import json
import os
import statistics
import subprocess

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.build/release/framemesh")
FRAMES_PER_NODE = 2


def run(program, nodes, ms, seconds, concurrency):
    """One result of `framemesh bench`."""
    result = subprocess.run(
        [program, "bench", "--up", "--nodes", str(nodes), "--workers", "1", "--simulate-ms", str(ms), "--pipeline", "detect",
         "--size", "128x128", "--raw", "--concurrency", str(concurrency or FRAMES_PER_NODE * nodes), "--duration", str(seconds), "--json", "-"],
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
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--json")
    parser.add_argument("--against")
    options = parser.parse_args()
    counts = [int(count) for count in options.nodes.split(",")]
    programs = [PROGRAM] + ([options.against] if options.against else [])
    results = {(program, count): [] for program in programs for count in counts}
    for number in range(options.rounds):
        for count in counts if number % 2 == 0 else reversed(counts):
            for program in programs if number % 2 == 0 else reversed(programs):
                results[program, count].append(run(program, count, options.ms, options.seconds, options.concurrency))
    if options.json:
        with open(options.json, "w") as file:
            for count in counts:
                file.writelines(json.dumps(result) + "\n" for result in results[PROGRAM, count])
    for program in programs:
        if options.against:
            print(program)
        table({count: results[program, count] for count in counts}, options.ms)
    if options.against:
        for count in counts:
            ratios(count, results[PROGRAM, count], results[options.against, count])


def table(results, ms):
    """Medians of the rounds, a line for each number of nodes."""
    print(f"{'nodes':>5} {'frames/s':>9} {'of ideal':>8} {'p50 ms':>7} {'p99 ms':>7} {'coordinator us':>14} {'nodes us':>9} {'client us':>9}")
    for count, rounds in results.items():
        points = [result["points"][0] for result in rounds]

        def median(value):
            return statistics.median(map(value, points))
        rate = median(lambda point: point["frames_per_second"])
        ideal = f"{rate / (count * 1000 / ms):8.0%}" if ms else f"{'':8}"
        print(f"{count:5} {rate:9.1f} {ideal} {median(lambda p: p['latency_ms']['p50']):7.1f}"
              f" {median(lambda p: p['latency_ms']['p99']):7.1f} {median(lambda p: processor(p, 'coordinator')):14.0f}"
              f" {median(lambda p: processor(p, 'node')):9.0f} {median(lambda p: processor(p, 'bench')):9.0f}")
        failed = sum(point["failed"] for point in points)
        if failed:
            print(f"      {failed} frames failed")


def ratios(count, new, old):
    """What a frame costs the coordinator now, of what it cost."""
    pairs = [processor(a["points"][0], "coordinator") / processor(b["points"][0], "coordinator") for a, b in zip(new, old)]
    rates = [a["points"][0]["frames_per_second"] / b["points"][0]["frames_per_second"] for a, b in zip(new, old)]
    print(f"{count:5} nodes: coordinator {statistics.median(pairs):.2f} of before ({min(pairs):.2f} to {max(pairs):.2f}), "
          f"frames/s {statistics.median(rates):.2f} ({min(rates):.2f} to {max(rates):.2f})")


if __name__ == "__main__":
    main()
