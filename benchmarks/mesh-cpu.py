#!/usr/bin/env python3
"""Processor time of a frame: meshes with a detector and a classifier (apart), with a node that does both (fused), and the same work in
one process. A ratio of these says what a machine with nothing else to do can do, and it can be had on one that has.

    FRAMEMESH_MODELS=../shared/models benchmarks/mesh-cpu.py PICTURE [SECONDS] [ROUNDS] [PIPELINE] [--json FILE]

Needs a release build and the models yolo-fastest-1.1 and squeezenet-1.1. Each is measured for two lengths; the difference is what counts, since
loading, connecting, and the frames that are on their way at the end are in both. Ratios are of one round."""
import argparse
import contextlib
import os
import resource

import framemesh

TICKS = os.sysconf("SC_CLK_TCK")
IN_PROCESS = "in process"


def fields(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()


def family(pid):
    """The process and its children."""
    found = [pid]
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if int(fields(name)[1]) == pid:
                found.append(int(name))
        except OSError:
            pass  # It has ended meanwhile.
    return found


def processor(pids):
    """Seconds of these processes and of those that were started here and have ended."""
    times = [int(time) for pid in pids for time in fields(pid)[11:13]]
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(times) / TICKS + ended.ru_utime + ended.ru_stime


def of_a_frame(seconds, pids, *options):
    """Seconds of a processor in the client, or in the process that does the work, and in `pids`; and the long result."""
    times, results = [], []
    for length in (seconds, seconds / 8):
        before = processor(pids)
        results.append(framemesh.bench(*options, "--warmup", 0, "--duration", length))
        times.append(processor(pids) - before)
    frames = [result["points"][0]["answered"] for result in results]
    return (times[0] - times[1]) / (frames[0] - frames[1]), results[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("seconds", nargs="?", type=float, default=4)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("pipeline", nargs="?", default="detect+classify")
    parser.add_argument("--json")
    options = parser.parse_args()
    load = ["--pipeline", options.pipeline, "--input", options.picture]
    with contextlib.ExitStack() as stack:
        def mesh(*nodes):
            process, coordinator = stack.enter_context(framemesh.mesh(*nodes, *framemesh.MODELS))
            return family(process.pid), ["--coordinator", coordinator, "--concurrency", 8]
        kinds = {
            IN_PROCESS: ([], ["--in-process", "--concurrency", 2, *framemesh.MODELS]),
            "apart": mesh("--detectors", 1, "--classifiers", 1), "fused": mesh("--nodes", 1),
        }
        times, failed, about = {name: [] for name in kinds}, 0, None
        for _ in range(options.rounds):
            for name, (pids, place) in kinds.items():
                seconds, result = of_a_frame(options.seconds, pids, *load, *place)
                times[name].append(seconds)
                failed += result["points"][0]["failed"]
                if name == IN_PROCESS:
                    about = about or {"environment": result["environment"], "engine": result["engine"]}
    report = about | {"pipeline": options.pipeline, "failed": failed, "kinds": {}}
    for name, rounds in times.items():
        share = framemesh.spread([base / each for base, each in zip(times[IN_PROCESS], rounds)])
        report["kinds"][name] = {"seconds_of_a_frame": framemesh.spread(rounds) | {"rounds": rounds}, "of_in_process": share}
        beside = f", {share['median']:4.0%} of in process ({share['least']:.0%} to {share['most']:.0%})" if name != IN_PROCESS else ""
        print(f"{name:12} {report['kinds'][name]['seconds_of_a_frame']['median'] * 1000:6.2f} ms a frame{beside}")
    print(f"{options.pipeline}, engine {report['engine']}" + (f", {failed} frames FAILED" if failed else ""))
    if options.json:
        framemesh.write(options.json, report)


if __name__ == "__main__":
    main()
