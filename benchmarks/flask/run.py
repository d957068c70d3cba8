#!/usr/bin/env python3
"""The gateway beside Flask servers of the same models: same pictures, same cores, one run.

    benchmarks/flask/run.py [--quick] [--seconds S] [--rounds N] [--picture FILE …] [--engine E] [--output FILE]

Needs a release build, and python3 with venv; makes benchmarks/flask/.venv from PyPI. With FRAMEMESH_MODELS (default:
../shared/models of the project, if it is there) the models are yolo-fastest-1.1 and squeezenet-1.1, else the bundled
ones. Exit code 1: a server answered something else than the others.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import load

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FRAMEMESH = ROOT / ".build/release/framemesh"
VENV = HERE / ".venv"
START_TIMEOUT = 60
CONCURRENCIES = (1, 8, 32)
# The open loop's share of the slower side's best throughput.
LOAD_SHARE = 0.7
# At this load one slow moment of the machine, of which there are several in a minute, is all of a round's tail, and takes
# some tenths of a second to pass. In the middle one of many short rounds there is mostly none; three long ones told the moment.
OPEN_ROUNDS = 5


def environment():
    values = dict(os.environ)
    shared = ROOT.parent / "shared/models"
    if "FRAMEMESH_MODELS" not in values and shared.is_dir():
        values["FRAMEMESH_MODELS"] = str(shared)
    folders = [Path(folder) for folder in values.get("FRAMEMESH_MODELS", "").split(":") if folder]
    has_real = any((folder / "squeezenet_v1.1.onnx").is_file() for folder in folders)
    detect, classify = ("yolo-fastest-1.1", "squeezenet-1.1") if has_real else ("digits-detector", "digits-classifier")
    return values | {"DETECT_MODEL": detect, "CLASSIFY_MODEL": classify, "PYTHONDONTWRITEBYTECODE": "1"}


def prepare_venv():
    wanted, installed = (HERE / "requirements.txt").read_text(), VENV / "requirements.installed"
    if installed.is_file() and installed.read_text() == wanted:
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run([*pip, "-r", HERE / "requirements.txt"], check=True)
    installed.write_text(wanted)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def process(command, values, **options):
    child = subprocess.Popen(command, env=values, cwd=HERE, start_new_session=True, **options)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def wait_for(port, path):
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        connection = load.http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing answers at port {port} after {START_TIMEOUT} s")
        time.sleep(0.1)


@contextlib.contextmanager
def flask(kind, values, cores):
    port, python = free_port(), VENV / "bin/python"
    command = {
        "waitress": [python, "-m", "waitress", f"--listen=127.0.0.1:{port}", f"--threads={cores}", "server:app"],
        "gunicorn": [python, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", f"--workers={cores}", "--log-level=error", "server:app"],
    }[kind]
    with process(command, values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        wait_for(port, "/healthz")
        yield load.Target(f"Flask, {kind}", "127.0.0.1", port, "/analyze")


@contextlib.contextmanager
def gateway(values, engine):
    command = [
        FRAMEMESH, "up", "--coordinator-port", "0", "--gateway-port", "0", "--nodes", "1",
        "--detect-model", values["DETECT_MODEL"], "--classify-model", values["CLASSIFY_MODEL"],
        "--engine", engine,
    ]
    with process(command, values, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as mesh:
        said, deadline = b"", time.monotonic() + START_TIMEOUT
        while not (found := re.search(rb"ready gateway=http://[0-9.]+:([0-9]+)\n", said)):
            output = mesh.stdout.fileno()
            part = os.read(output, 4096) if select.select([output], [], [], max(0, deadline - time.monotonic()))[0] else b""
            if not part:
                raise SystemExit(f"the mesh did not start; it said {said!r}")
            said += part
        port = int(found[1])
        wait_for(port, "/readyz")
        yield load.Target("gateway", "127.0.0.1", port, "/v1/images:analyze?pipeline=detect%2Bclassify")


def answers(target, pictures):
    """What is found, without numbers: engines of two OpenCV versions differ in the last digits."""
    connection, found = target.connect(), []
    for picture in pictures:
        status, body = target.send(connection, picture)
        if status != 200:
            raise SystemExit(f"{target.name} answered {status}: {body[:300].decode(errors='replace')}")
        answer = json.loads(body)
        result = answer["results"][0] if "results" in answer else answer
        found.append((sorted(each["label"] for each in result["detections"]), result["classes"][0]["label"]))
    connection.close()
    return found


def table(rows, columns):
    widths = [max(len(str(row[at])) for row in [columns, *rows]) for at in range(len(columns))]
    lines = [" | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) for row in [columns, *rows]]
    return "\n".join(f"| {line} |" for line in [lines[0], " | ".join("-" * width for width in widths), *lines[1:]])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under a minute; noisy")
    parser.add_argument("--seconds", type=float, help="of each measurement of a round (5, quick 2)")
    parser.add_argument("--rounds", type=int, help="(3, quick 1)")
    parser.add_argument("--picture", type=Path, action="append", help="JPEG; default: the bundled ones")
    parser.add_argument("--engine", default="opencv", help="of the mesh; the default is the one that Flask has, too")
    parser.add_argument("--output", type=Path, help="JSON (default: results/latest.json)")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (2 if arguments.quick else 5)
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 3)
    warmup = 0.3 if arguments.quick else 1
    paths = arguments.picture or sorted((ROOT / "Sources/framemesh/Resources/demo").glob("*.jpg"))
    pictures = [path.read_bytes() for path in paths]
    if not FRAMEMESH.is_file():
        raise SystemExit(f"{FRAMEMESH} is missing: make build")
    prepare_venv()

    values, cores = environment(), os.cpu_count()
    single, own = values | {"CV_THREADS": "1"}, values | {"CV_THREADS": "0"}
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        flasks = [stack.enter_context(flask("waitress", single, cores)), stack.enter_context(flask("gunicorn", single, cores))]
        # One request at a time is quicker where OpenCV splits each network over the cores.
        many = stack.enter_context(flask("gunicorn", own, cores))
        many.name += f", {cores} threads in OpenCV"
        flasks.append(many)
        ours = stack.enter_context(gateway(values, arguments.engine))
        targets = [ours, *flasks]

        found = {target.name: answers(target, pictures) for target in targets}
        for name, each in found.items():
            differ = sum(a != b for a, b in zip(each, found[ours.name]))
            if differ > len(pictures) * 0.2:
                raise SystemExit(f"{name} finds other things than the gateway in {differ} of {len(pictures)} pictures")

        results = {target.name: {} for target in targets}

        def rounds(name, measure, key, count=arguments.rounds):
            """In turns, so that what else the machine does meets all of them; kept is the round in the middle."""
            outcomes = {target.name: [] for target in targets}
            for _ in range(count):
                for target in targets:
                    outcomes[target.name].append(measure(target).summary())
                    print(f"{target.name}, {name}: {outcomes[target.name][-1]}", file=sys.stderr)
            for target, each in outcomes.items():
                middle = sorted(each, key=lambda summary: summary[key])[len(each) // 2]
                results[target][name] = middle | {
                    "failures": sum(summary["failures"] for summary in each), f"{key}_of_rounds": [summary[key] for summary in each]}

        for concurrency in CONCURRENCIES:
            rounds(str(concurrency), lambda target: load.closed_loop(target, pictures, concurrency, seconds, warmup), "requests_per_second")
        peak = {name: max(each["requests_per_second"] for each in by.values()) for name, by in results.items()}
        best = max(flasks, key=lambda target: peak[target.name])
        rate = LOAD_SHARE * min(peak[best.name], peak[ours.name])
        rounds("open", lambda target: load.open_loop(target, pictures, rate, seconds, warmup), "p99_ms", OPEN_ROUNDS * arguments.rounds)

    report = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"), "quick": arguments.quick, "cores": cores,
        "machine": platform_name(), "engine": arguments.engine, "models": [values["DETECT_MODEL"], values["CLASSIFY_MODEL"]],
        "pictures": [path.name for path in paths], "seconds": seconds, "rounds": arguments.rounds, "open_loop_rate": round(rate, 1),
        "best_flask": best.name, "results": results, "ratios": ratios(results, ours.name, [each.name for each in flasks]),
        "took_seconds": round(time.monotonic() - started, 1),
    }
    output = arguments.output or HERE / "results/latest.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(report, indent=2) + "\n")
    cell = lambda each: f"{each['requests_per_second']} ({each['p50_ms']:.0f}/{each['p99_ms']:.0f})" + (
        f" {each['failures']} failed" if each["failures"] else "") if each else ""
    columns = ["requests/s (p50/p99 ms)", *(f"{each} at once" for each in CONCURRENCIES), f"open loop, {rate:.0f}/s"]
    print(table([[name, *(cell(by.get(key)) for key in [*map(str, CONCURRENCIES), "open"])] for name, by in results.items()], columns))
    for name, (value, goal, is_met) in report["ratios"].items():
        print(f"{name}: {value} (goal {goal}{'' if is_met else ', MISSED'})")
    print(f"{output} has all of it")


def ratios(results, ours, flasks):
    """The goals: throughput beside the best Flask of each load, and the tail beside the best one at the same open load."""
    found = {}
    for concurrency, goal in (("1", 1.1), ("8", 0.85), ("32", 0.85)):
        other = max(results[name][concurrency]["requests_per_second"] for name in flasks)
        value = round(results[ours][concurrency]["requests_per_second"] / other, 2)
        found[f"throughput, {concurrency} at once"] = (value, f"≥ {goal}", value >= goal)
    # Whoever failed some of it has no tail to compare with.
    tails = [results[name]["open"]["p99_ms"] for name in flasks if not results[name]["open"]["failures"]]
    value = round(results[ours]["open"]["p99_ms"] / min(tails), 2) if tails else 0.0
    failed = results[ours]["open"]["failures"]
    found["p99, open loop"] = (value, "≤ 0.8 without failures", value <= 0.8 and failed == 0)
    return found


def platform_name():
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "unknown"


if __name__ == "__main__":
    main()
