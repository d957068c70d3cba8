#!/usr/bin/env python3
"""How far one coordinator reaches: frames a second and processor time of the coordinator with 1, 2, 4, … nodes that wait in place of
computing (`--simulate-ms`), so that a few cores can show many nodes. Rounds go up and down in turns; medians are printed.

    benchmarks/scaling.py [--nodes 1,2,4,8] [--ms 20] [--rate R,R…] [--rounds 3] [--seconds 5] [--json FILE] [--against PROGRAM]

Needs a release build. Frames are raw, 128×128 (48 KiB), so that nodes decode nothing. Two are on their way for each node, or as many
in all as --concurrency says; --rate sends so many a second in place of that, whatever the number of nodes, which is then all that differs: a
frame costs more where few come. --against is another build of the program (an earlier one), which is measured in turns with this one; the
ratio of the medians of what a frame costs the coordinator is printed, and the least and largest of the single rounds."""
import argparse
import itertools
import json
import statistics

import framemesh

FRAMES_PER_NODE = 2


def load(nodes, rate, concurrency):
    return ["--rate", rate] if rate else ["--concurrency", concurrency or FRAMES_PER_NODE * nodes]


def run(program, nodes, rate, options):
    """One result of `framemesh bench`."""
    return framemesh.bench(
        "--up", "--nodes", nodes, "--workers", 1, "--simulate-ms", options.ms, "--pipeline", "detect", "--size", "128x128", "--raw",
        *load(nodes, rate, options.concurrency), "--duration", options.seconds, program=program)


def coordinator(result):
    return framemesh.processor(result["points"][0], "coordinator")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", default="1,2,4,8")
    parser.add_argument("--ms", type=float, default=20)
    parser.add_argument("--rate", default="")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--json")
    parser.add_argument("--against")
    options = parser.parse_args()
    counts = [int(count) for count in options.nodes.split(",")]
    rates = [float(rate) for rate in options.rate.split(",")] if options.rate else [None]
    cells = list(itertools.product(rates, counts))
    programs = [framemesh.PROGRAM] + ([options.against] if options.against else [])
    results = {(program, cell): [] for program in programs for cell in cells}
    for number in range(options.rounds):
        for rate, count in cells if number % 2 == 0 else reversed(cells):
            for program in programs if number % 2 == 0 else reversed(programs):
                results[program, (rate, count)].append(run(program, count, rate, options))
    if options.json:
        with open(options.json, "w") as file:
            for cell in cells:
                file.writelines(json.dumps(result) + "\n" for result in results[framemesh.PROGRAM, cell])
    for program in programs:
        if options.against:
            print(program)
        table({cell: results[program, cell] for cell in cells}, options.ms)
    for rate in filter(None, rates):
        least, most = (results[framemesh.PROGRAM, (rate, count)] for count in (min(counts), max(counts)))
        ratio = framemesh.spread([coordinator(b) / coordinator(a) for a, b in zip(least, most)])
        print(f"{rate:g} frames/s: coordinator with {max(counts)} nodes {ratio['median']:.2f} of with {min(counts)}"
              f" ({ratio['least']:.2f} to {ratio['most']:.2f})")
    if options.against:
        for cell in cells:
            against(cell[1], results[framemesh.PROGRAM, cell], results[options.against, cell])


def table(results, ms):
    """Medians of the rounds, a line for each number of nodes."""
    print(f"{'nodes':>5} {'frames/s':>9} {'of ideal':>8} {'p50 ms':>7} {'p99 ms':>7} {'coordinator us':>14} {'nodes us':>9} {'client us':>9}")
    for (rate, count), rounds in results.items():
        points = [result["points"][0] for result in rounds]

        def median(value):
            return statistics.median(map(value, points))

        def processor(role):
            return median(lambda point: framemesh.processor(point, role))
        answered = median(lambda point: point["frames_per_second"])
        ideal = rate or (count * 1000 / ms if ms else None)
        print(f"{count:5} {answered:9.1f} {f'{answered / ideal:8.0%}' if ideal else '':8}"
              f" {median(lambda p: p['latency_ms']['p50']):7.1f} {median(lambda p: p['latency_ms']['p99']):7.1f}"
              f" {processor('coordinator'):14.0f} {processor('node'):9.0f} {processor('bench'):9.0f}")
        failed = sum(point["failed"] for point in points)
        if failed:
            print(f"      {failed} frames FAILED")


def against(count, new, old):
    """What a frame costs the coordinator now, of what it cost."""
    costs = framemesh.spread([coordinator(a) / coordinator(b) for a, b in zip(new, old)])
    rates = framemesh.spread([a["points"][0]["frames_per_second"] / b["points"][0]["frames_per_second"] for a, b in zip(new, old)])
    print(f"{count:5} nodes: coordinator {costs['median']:.2f} of before ({costs['least']:.2f} to {costs['most']:.2f}), "
          f"frames/s {rates['median']:.2f} ({rates['least']:.2f} to {rates['most']:.2f})")


if __name__ == "__main__":
    main()
