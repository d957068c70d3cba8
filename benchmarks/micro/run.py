#!/usr/bin/env python3
"""What each hot piece costs, in instructions, beside its threshold.

    benchmarks/micro/run.py [PIECE…]            ends with 1 if one got dearer by more than the tolerance
    benchmarks/micro/run.py --update [PIECE…]   makes what is counted now the thresholds
    benchmarks/micro/run.py --rounds 5          counts all five times, and says how far the counts lie apart

Wants the program `hot-pieces` (`make micro`) and valgrind. What is counted, why so, and how to look into a piece:
benchmarks/README.md. The profile of each piece is left in .build/micro, for callgrind_annotate.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(HERE.parent))
import framemesh  # noqa: E402

PROGRAM = ROOT / ".build/release/hot-pieces"
WORK = ROOT / ".build/micro"
THRESHOLDS = HERE / "thresholds.json"
# valgrind 3.19 gives up on the debug information of Swift 6; it knows functions without it.
STRIPPED = WORK / "hot-pieces"
# The function in whose calls instructions are counted (Tests/CHotPieces).
COUNTED = "hot_pieces_measured"
# `rep movsb` counts as an instruction for each byte: without it memory is copied in loops.
TUNABLES = "glibc.cpu.hwcaps=-ERMS"
# Of a piece: the slowest takes three.
SECONDS = 300
# In percent: what other versions of Swift packages change at most, where nothing else differs.
PACKAGES_TOLERANCE = 10
# A process has some hundred MiB under valgrind.
MOST_AT_ONCE = 4
PACKAGES = ("swift-atomics", "swift-collections", "swift-log", "swift-metrics", "swift-nio")
LIBRARIES = {
    "OpenCV": "opencv4", "nghttp2": "libnghttp2", "protobuf-c": "libprotobuf-c", "libjpeg-turbo": "libturbojpeg",
}


class CannotCount(Exception):
    """valgrind does not run the program to its end."""


def said(*command):
    """The output of a command; "none" where there is no such command, or it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "none"


def processor():
    """valgrind shows programs a processor of its own making, with AVX2 or not; what else is there does not matter."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        flags = None
    return platform.machine() + (" with AVX2" if flags and "avx2" in flags[1].split() else "")


def packages():
    """The Swift packages that pieces are made of."""
    try:
        pins = json.loads((ROOT / "Package.resolved").read_text())["pins"]
    except (OSError, ValueError, KeyError):
        return "none"
    return ", ".join(f"{pin['identity']} {pin['state'].get('version')}" for pin in pins if pin["identity"] in PACKAGES)


def versions():
    """What the machine has that counts depend on."""
    found = {"processor": processor()}
    swift = re.search(r"Swift version (\S+)", said("swift", "--version"))
    found["Swift"] = swift[1] if swift else "none"
    found["C library"] = os.confstr("CS_GNU_LIBC_VERSION")
    for name, package in LIBRARIES.items():
        found[name] = said("pkg-config", "--modversion", package)
    found["packages"] = packages()
    found["valgrind"] = said("valgrind", "--version").removeprefix("valgrind-")
    return found


def count(piece):
    """Instructions of a turn."""
    profile, log = WORK / f"{piece}.callgrind", WORK / f"{piece}.log"
    profile.unlink(missing_ok=True)
    command = [shutil.which("valgrind"), "--tool=callgrind", f"--toggle-collect={COUNTED}"]
    command += [f"--callgrind-out-file={profile}", STRIPPED, piece]
    # Nothing of the caller's own: what is in the environment lies on the stack, and moves what comes after it.
    environment = {"LC_ALL": "C", "SWIFT_DETERMINISTIC_HASHING": "1", "GLIBC_TUNABLES": TUNABLES}
    with log.open("w") as errors:
        run = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=SECONDS
        )
    if run.returncode != 0 or not profile.exists():
        raise CannotCount(f"{piece} failed with {run.returncode}:\n{log.read_text()}")
    total = int(re.search(r"^(?:summary|totals): (\d+)", profile.read_text(), re.MULTILINE)[1])
    if total == 0:
        raise CannotCount(f"valgrind has not seen {COUNTED}: has {PROGRAM} no symbols?")
    return total / int(run.stdout)


def measure(pieces, rounds):
    """Medians, and how far the rounds lie apart, as a share of that."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_AT_ONCE)) as pool:
        # The slowest are named last, and would be waited for alone.
        order = pieces[::-1]
        # One after the other: each run writes its piece's own files.
        runs = [dict(zip(order, pool.map(count, order))) for _ in range(rounds)]
    medians, spread = {}, {}
    for piece in pieces:
        counts = [run[piece] for run in runs]
        medians[piece] = statistics.median(counts)
        spread[piece] = (max(counts) - min(counts)) / medians[piece]
    return medians, spread


def differing(known, here):
    """What is here and was not where the thresholds were made."""
    return {name: f"{name} {known['made_with'].get(name)} (here {value})" for name, value in here.items()
            if known["made_with"].get(name) != value}


def identities(packages):
    return [package.split()[0] for package in packages.split(", ")]


def tolerance_of(known, here):
    """In percent, by which a piece may be dearer; None: nothing is to be said, since another compiler or library makes other code."""
    others = differing(known, here)
    if not others:
        return known["tolerance_percent"]
    # A release of a package comes with any build, and changes little of what is counted: without a verdict the check would lapse.
    if list(others) == ["packages"] and identities(known["made_with"].get("packages", "")) == identities(here["packages"]):
        return max(known["tolerance_percent"], PACKAGES_TOLERANCE)
    return None


def judge(counts, known, tolerance):
    """Prints a line for each piece. Returns those that are dearer than they may be, and those that are cheaper."""
    tolerance, limits = tolerance / 100, known["instructions"]
    dearer, cheaper = [], []
    for piece, counted in counts.items():
        line = f"{piece:24} {counted:14,.0f}"
        if piece not in limits:
            print(f"{line}   no threshold")
            continue
        change = counted / limits[piece] - 1
        verdict = ""
        if change > tolerance:
            verdict = "DEARER"
            dearer.append(f"{piece} got dearer by {change:.1%}: {counted:,.0f} instructions for {limits[piece]:,}")
        elif change < -tolerance:
            verdict = "cheaper"
            cheaper.append(piece)
        print(f"{line} {limits[piece]:14,} {change:+8.2%} {verdict}")
    return dearer, cheaper


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("pieces", nargs="*", metavar="PIECE", help="only these (hot-pieces names all)")
    arguments.add_argument("--update", action="store_true", help="what is counted becomes the threshold")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="what was counted, beside the thresholds")
    arguments.add_argument("--rounds", type=int, default=1, metavar="N", help="how often each is counted")
    options = arguments.parse_args()
    if not PROGRAM.exists():
        raise SystemExit(f"micro: {PROGRAM} is not there: make micro")
    if not shutil.which("valgrind"):
        raise SystemExit("micro: valgrind is not there: dev/setup.sh test")
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["objcopy", "--strip-debug", PROGRAM, STRIPPED], check=True)
    everything = said(PROGRAM).split()
    if unknown := [piece for piece in options.pieces if piece not in everything]:
        raise SystemExit(f"micro: there is no piece {unknown[0]}; there are: {' '.join(everything)}")
    pieces = options.pieces or everything
    here = versions()
    known = json.loads(THRESHOLDS.read_text())
    others, tolerance = ", ".join(differing(known, here).values()), tolerance_of(known, here)
    try:
        counts, spread = measure(pieces, max(1, options.rounds))
    except (CannotCount, subprocess.TimeoutExpired) as trouble:
        if tolerance is not None or options.update:
            raise SystemExit(f"micro: {trouble}")
        print(f"micro: NOT JUDGED: the thresholds were made with {others}, and here: {trouble}")
        return
    if options.rounds > 1:
        for piece in pieces:
            print(f"{piece:24} {counts[piece]:14,.0f}   apart {spread[piece]:.3%}")

    if options.update:
        if others and options.pieces:
            raise SystemExit(f"micro: thresholds were made with {others}: update all or none")
        kept = {piece: known["instructions"].get(piece) for piece in everything}
        kept |= {piece: round(counted) for piece, counted in counts.items()}
        known |= {"made_with": here, "instructions": {piece: value for piece, value in kept.items() if value}}
        THRESHOLDS.write_text(json.dumps(known, indent=4) + "\n")
        print(f"micro: {len(counts)} thresholds written to {THRESHOLDS.relative_to(ROOT)}")
        return

    if options.json:
        report = {"counted": counts, "thresholds": known["instructions"], "tolerance_percent": tolerance, "made_with": here}
        # Counts need no mesh: it may not be built.
        environment = {"environment": framemesh.environment()} if framemesh.PROGRAM.exists() else {}
        framemesh.write(options.json, environment | report)
    dearer, cheaper = judge(counts, known, tolerance or known["tolerance_percent"])
    new = [piece for piece in counts if piece not in known["instructions"]]
    gone = [piece for piece in known["instructions"] if piece not in everything]
    if tolerance is None:
        print(f"micro: NOT JUDGED: the thresholds were made with {others}.")
        dearer = []
    elif others:
        print(f"micro: judged with a tolerance of {tolerance} %: the thresholds were made with {others}.")
    if others:
        print("micro: if nothing else changed, make new ones: benchmarks/micro/run.py --update")
        cheaper = []
    if cheaper:
        print(f"micro: cheaper, so lower the threshold: benchmarks/micro/run.py --update {' '.join(cheaper)}")
    for line in dearer:
        print(f"micro: {line} (tolerance {tolerance} %)", file=sys.stderr)
    if dearer:
        pieces = " ".join(line.split()[0] for line in dearer)
        print(f"micro: where it goes: callgrind_annotate {WORK.relative_to(ROOT)}/PIECE.callgrind", file=sys.stderr)
        print(f"micro: if it is worth that: benchmarks/micro/run.py --update {pieces}", file=sys.stderr)
    for piece in new:
        print(f"micro: {piece} has no threshold yet: benchmarks/micro/run.py --update {piece}", file=sys.stderr)
    for piece in gone:
        print(f"micro: {THRESHOLDS.name} knows {piece}, which is no piece (any more)", file=sys.stderr)
    if dearer or new or gone:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
