#!/usr/bin/env python3
"""Brings faults about in a mesh on this machine and says whether it keeps its promises.

    run.py            all scenarios; every bar decides
    run.py --short    the short version of most: counts, order and content decide, times are only told
    run.py NAME…      these
    run.py --list     what there is
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import bench
import cluster
import mesh
import scenarios

# Longer than any scenario takes.
LONGEST = 600
# Most of a scenario is waiting, and in the short version times do not decide.
SHORT_JOBS = 3


def perform(scenario, is_short, folder):
    """One scenario in this process: its findings."""
    os.makedirs(folder)
    findings = []
    try:
        with cluster.Cluster(folder) as pods:
            scenario(bench.Bench(pods, is_short, findings))
    except Exception:
        text = traceback.format_exc()
        with open(os.path.join(folder, "trouble.log"), "w") as file:
            file.write(text)
        findings.append(("it runs to its end", False, text.strip().splitlines()[-1], True))
    return findings


def run(scenario, is_short, folder):
    """One scenario in a process of its own: how many seconds it took, and its findings."""
    words = [sys.executable, os.path.abspath(__file__), "--perform", scenario.title, "--keep", folder]
    start = time.monotonic()
    try:
        done = subprocess.run(words + ["--short"] * is_short, stdout=subprocess.PIPE, text=True, timeout=LONGEST,
                              preexec_fn=cluster.die_with_parent)
        findings = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        findings = [("it runs to its end", False, repr(error), True)]
    return time.monotonic() - start, findings


def cell(text, limit=200):
    text = " ".join(text.split()).replace("|", "/")
    return text if len(text) <= limit else text[:limit - 1] + "…"


def show(scenario, took, findings):
    """The scenario's lines of the table. Returns whether it kept to the bars that decide."""
    fault = f"{scenario.fault} ({took:.0f} s)"
    for what, is_true, measured, decides in findings:
        verdict = "yes" if is_true else "**NO**" if decides else "no"
        print(f"| {fault} | {what} | {cell(measured)} | {verdict} |", flush=True)
        fault = ""
    return all(is_true or not decides for _, is_true, _, decides in findings)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--short", action="store_true")
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--jobs", type=int, help="scenarios at once")
    arguments.add_argument("--keep", metavar="FOLDER", help="where logs shall stay")
    arguments.add_argument("--perform", metavar="NAME", help=argparse.SUPPRESS)
    arguments.add_argument("names", nargs="*")
    options = arguments.parse_args()
    if options.list:
        for one in scenarios.ALL:
            print(f"{one.title:28} {one.fault}")
        return 0
    known = {one.title: one for one in scenarios.ALL}
    if options.perform:
        print(json.dumps(perform(known[options.perform], options.short, options.keep)))
        return 0
    if unknown := [name for name in options.names if name not in known]:
        arguments.error(f"no scenario is called {', '.join(unknown)}")
    chosen = [known[name] for name in options.names] or [
        one for one in scenarios.ALL if one.short or not options.short]
    try:
        cluster.check_machine()
    except cluster.Unable as reason:
        print(f"chaos: SKIPPED, nothing was tested: {reason}")
        return 0
    for program in ("framemesh", "chaos-node", "chaos-load"):
        if not os.path.exists(os.path.join(mesh.PROGRAMS, program)):
            arguments.error(f"{mesh.PROGRAMS}/{program} is not built")

    folder = options.keep or tempfile.mkdtemp(prefix="chaos-")
    start = time.monotonic()
    print("| fault | bar | measured | |\n|---|---|---|---|", flush=True)
    with ThreadPoolExecutor(options.jobs or (SHORT_JOBS if options.short else 1)) as pool:
        runs = pool.map(lambda one: run(one, options.short, os.path.join(folder, one.title)), chosen)
        failed = [one.title for one, outcome in zip(chosen, runs) if not show(one, *outcome)]
    print(f"\nchaos: {len(chosen) - len(failed)} of {len(chosen)} scenarios kept to their bars "
          f"in {time.monotonic() - start:.0f} s" + (f"; not {', '.join(failed)}; logs in {folder}" if failed else ""))
    if not failed and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
