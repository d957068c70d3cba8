#!/usr/bin/env python3
"""Processor time of a frame: meshes with a detector and a classifier (apart), with a node that does both (fused), and the same work in
one process. A ratio of these says what a machine with nothing else to do can do, and it can be had on one that has.

    FRAMEMESH_MODELS=../shared/models benchmarks/mesh-cpu.py PICTURE [SECONDS] [ROUNDS] [PIPELINE] [--json FILE]

Needs a release build and the models yolo-fastest-1.1 and squeezenet-1.1."""
import argparse
import json
import os
import resource
import statistics
import subprocess

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.build/release/framemesh")
MODELS = ["--detect-model", "yolo-fastest-1.1", "--classify-model", "squeezenet-1.1"]
TICKS = os.sysconf("SC_CLK_TCK")


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


def processor(pid):
    user, system = fields(pid)[11:13]
    return (int(user) + int(system)) / TICKS


def up(*options):
    mesh = subprocess.Popen(
        [PROGRAM, "up", "--no-gateway", "--coordinator-port", "0", *options, *MODELS], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True)
    return mesh, mesh.stdout.readline().strip().partition("=")[2]


def bench(picture, seconds, pipeline, *options):
    """The report, and the processor time of the client or the process that did the work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(
        [PROGRAM, "bench", "--pipeline", pipeline, "--duration", str(seconds), "--warmup", "0", "--input", picture, "--json", "-",
         *options], stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(result.stdout)["points"][0], after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture")
    parser.add_argument("seconds", nargs="?", type=float, default=4)
    parser.add_argument("rounds", nargs="?", type=int, default=3)
    parser.add_argument("pipeline", nargs="?", default="detect+classify")
    parser.add_argument("--json")
    options = parser.parse_args()
    picture, seconds, pipeline = options.picture, options.seconds, options.pipeline
    meshes = {"apart": up("--detectors", "1", "--classifiers", "1"), "fused": up("--nodes", "1")}
    measured = {}
    try:
        for _ in range(options.rounds):
            for name, (mesh, coordinator) in meshes.items():
                parts = family(mesh.pid)
                before = sum(map(processor, parts))
                report, own = bench(picture, seconds, pipeline, "--coordinator", coordinator, "--concurrency", "8")
                measured.setdefault(name, []).append((sum(map(processor, parts)) - before + own) / report["answered"])
            # Two lengths: what loading the models takes is in both.
            long, short = (
                bench(picture, time, pipeline, "--in-process", "--concurrency", "2", *MODELS) for time in (seconds, seconds / 8))
            measured.setdefault("in process", []).append((long[1] - short[1]) / (long[0]["answered"] - short[0]["answered"]))
    finally:
        for mesh, _ in meshes.values():
            mesh.terminate()
        for mesh, _ in meshes.values():
            mesh.wait()
    base = statistics.median(measured["in process"])
    for name, times in measured.items():
        median = statistics.median(times)
        print(f"{name:12} {median * 1000:6.2f} ms a frame, {base / median:5.0%} of in process")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"pipeline": pipeline, "seconds_of_a_frame": measured}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
