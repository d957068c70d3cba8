"""Runs all systems in turn, and writes the results. Started by run.sh."""

import argparse
import json
import random
import resource
import signal
import sys
import time
from itertools import groupby
from pathlib import Path

import machine
import measuring
from measuring import Measurer
from report import markdown
from rows import GROUPS, ROWS
from running import NEAR_NANOSECONDS, Failed, core_distance, wait_for_near_cores
from systems import OURS_SYNC

RESULTS = Path(__file__).resolve().parent.parent / "results"
PORT = 17300
OPEN_FILES = 8192
#: Kept free at the end of the time for what is measured once.
EXTRAS_SECONDS = 200
#: How often something is measured again because the host has moved our cores.
TURNS = 3


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, short, the kernel's congestion control only")
    parser.add_argument("--only", default=",".join(GROUPS), help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--rows", default="", help="only rows whose name has this in it")
    parser.add_argument("--systems", default="", help="only these systems, by comma")
    parser.add_argument("--congestion", default="", help="by comma; default: the kernel's own, and cubic")
    parser.add_argument("--rounds", type=int, help="default 3")
    parser.add_argument("--seconds", type=float, help="of each measurement; default 0.8")
    parser.add_argument("--minutes", type=float, help="begin no round that may not end in time; default 24, and 7 of --quick")
    parser.add_argument("--output", default="latest", help="the name of the files in results/")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 3)
    chosen.seconds = chosen.seconds or (0.6 if chosen.quick else 0.8)
    chosen.minutes = chosen.minutes or (7 if chosen.quick else 24)
    kernel = machine.kernel_congestion()
    default = [kernel] if chosen.quick else list(dict.fromkeys([kernel, "cubic"]))
    chosen.congestion = chosen.congestion.split(",") if chosen.congestion else default
    chosen.only = set(chosen.only.split(","))
    chosen.systems = set(chosen.systems.split(",")) - {""}
    unknown = (chosen.only - set(GROUPS)) | (set(chosen.congestion) - set(machine.available_congestion()))
    if unknown:
        parser.error(f"not known here: {', '.join(sorted(unknown))}")
    return chosen


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def brief(values: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:,.1f}" for key, value in values.items() if key not in ("calls", "cores"))


class Run:
    """All measurements of one invocation, in the order in which they were made."""

    def __init__(self, chosen: argparse.Namespace):
        self.chosen = chosen
        self.kernel = machine.kernel_congestion()
        self.deadline = time.monotonic() + chosen.minutes * 60
        self.measurer = Measurer(PORT, chosen.seconds, warmup=0.4 * chosen.seconds)
        self.measurements: list[dict] = []
        self.extras: dict[str, dict] = {}
        self.failures: list[str] = []

    def _wants(self, name: str) -> bool:
        return not self.chosen.systems or name in self.chosen.systems

    def _probe(self, congestion: str) -> str | None:
        """What to preload: nothing for the kernel's own."""
        return None if congestion == self.kernel else congestion

    def _attempt(self, label: str, measure, in_turns: bool = False) -> list[dict] | None:
        """What was measured, each with whether the cores were `near` each other or `far` meanwhile; it is measured again
        if they were `moved`, unless its ratios are those within a turn, of which that spoils one. A failed measurement
        has no number; it is listed, and the run fails in the end."""
        try:
            before = core_distance()
            for _ in range(TURNS):
                values = measure()
                after = core_distance()
                where = {distance < NEAR_NANOSECONDS for distance in ((before,) if in_turns else (before, after))}
                if len(where) == 1:
                    break
                say(f"{label}: the cores were moved, {before:.0f} to {after:.0f} ns")
                before = after
        except Failed as failure:
            self.failures.append(f"{label}: {failure}")
            say(f"{label}: FAILED: {failure}")
            return None
        cores = {(True,): "near", (False,): "far"}.get(tuple(where), "moved")
        for one in values:
            say(f"{label}: {brief(one)}  cores {cores}")
        return [one | {"cores": cores, "core_distance_ns": max(before, after)} for one in values]

    def check_congestion(self) -> None:
        systems = {s.name: s for row in ROWS for s in row.systems if self._wants(s.name)}
        for congestion in self.chosen.congestion:
            for system in systems.values():
                self.measurer.congestion_check(system, self._probe(congestion), congestion)
        say(f"congestion control of accepted sockets checked: {', '.join(self.chosen.congestion)}")

    def round(self, number: int, congestion: str) -> None:
        is_kernels = congestion == self.kernel
        # The goals are for the table; the framings are compared once.
        skipped = {"attachments"} if not is_kernels and len(self.chosen.congestion) > 1 else set()
        rows = [r for r in ROWS if r.group in self.chosen.only - skipped and self.chosen.rows in r.name]
        for _, group in groupby(rows, lambda row: row.compared):
            compared = list(group)
            names = [row.name for row in compared]
            jobs = [
                (names, system.name, lambda r=compared, s=system: self.measurer.rows(r, s, self._probe(congestion)))
                for system in compared[0].systems if self._wants(system.name)
            ]  # fmt: skip
            # Forms are compared with each other, and systems are not.
            for together in ([[job] for job in jobs] if len(compared) > 1 else [jobs]):
                self._compare(together, number, congestion)
        if "client" in self.chosen.only and self.chosen.rows in "client":
            self._compare([
                (["client"], f"{kind}-client", lambda k=kind: [self.measurer.client(k, self._probe(congestion))])
                for kind in [*measuring.clients(), *measuring.bare_clients()]
            ], number, congestion)  # fmt: skip

    def _compare(self, jobs: list, number: int, congestion: str) -> None:
        """Measures all with the cores near each other; or, if they do not come there, all with them far apart.

        A job is the names of rows and system, and what measures them."""
        # Nobody is always first: the machine may get slower or faster meanwhile.
        random.Random(number).shuffle(jobs)
        done = {"near": set(), "far": set(), "moved": set()}
        failed = set()
        for _ in range(TURNS):
            wait_for_near_cores()
            for rows, system, measure in jobs:
                job = (*rows, system)
                if job in done["near"] | failed:
                    continue
                values = self._attempt(f"[{number} {congestion}] {' and '.join(rows)} {system}", measure, len(rows) > 1)
                if values is None:
                    failed.add(job)
                    continue
                done[values[0]["cores"]].add(job)
                self.measurements += [
                    {"row": row, "system": system, "round": number, "congestion": congestion} | of_row
                    for row, of_row in zip(rows, values, strict=True)
                ]
            if any(len(done[where] | failed) == len(jobs) for where in ("near", "far")):
                return

    def rounds(self) -> None:
        longest = 0.0
        reserved = min(EXTRAS_SECONDS, self.chosen.minutes * 60 / 3)
        for number in range(1, self.chosen.rounds + 1):
            begun = time.monotonic()
            if number > 1 and begun + longest > self.deadline - reserved:
                say(f"no time for round {number}")
                return
            for congestion in self.chosen.congestion:
                self.round(number, congestion)
            longest = max(longest, time.monotonic() - begun)

    def once(self) -> None:
        for group, name, measure in measuring.extras(self.chosen.only, len(measuring.clients()) > 1):
            if not self._wants(name.split()[1 if group == "memory" else 0]):
                continue
            if time.monotonic() > self.deadline:
                self.failures.append(f"{group} {name}: no time left")
                continue
            values = self._attempt(f"{group} {name}", lambda: [measure(self.measurer)])
            if values is not None:
                self.extras.setdefault(group, {})[name] = values[0]

    def results(self, facts: dict) -> dict:
        return {
            "machine": facts,
            "seconds": self.chosen.seconds,
            "congestion": self.chosen.congestion,
            "measurements": self.measurements,
            "once": self.extras,
            "failures": self.failures,
        }


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    chosen = options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    facts = machine.facts()
    for name, value in facts.items():
        say(f"{name}: {value}")
    run = Run(chosen)
    try:
        if not chosen.systems or OURS_SYNC.name in chosen.systems or chosen.only & {"small", "latency", "large"}:
            run.check_congestion()
        run.rounds()
        run.once()
    except Failed as failure:
        run.failures.append(str(failure))
        say(f"FAILED: {failure}")
    except KeyboardInterrupt:
        run.failures.append("interrupted")
        say("interrupted")
    results = run.results(facts)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{chosen.output}.json").write_text(json.dumps(results, indent=1) + "\n")
    text = markdown(results)
    (RESULTS / f"{chosen.output}.md").write_text(text)
    print("\n" + text)
    say(f"written: results/{chosen.output}.md and .json")
    for failure in run.failures:
        say(f"failed: {failure}")
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
