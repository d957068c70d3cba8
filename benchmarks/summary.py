#!/usr/bin/env python3
"""Writes what `benchmarks/results/*.json` say as one table into benchmarks/README.md, between its two markers.

    benchmarks/summary.py [NAME…]      # comparisons of benchmarks/run.sh that have just been measured, of this commit

Where a goal was set it stands beside the figure; one that is missed is bold."""
import datetime
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RESULTS = HERE / "results"
# When, and at which commit, each was measured.
RUNS = RESULTS / "runs.json"
README = HERE / "README.md"
BEGIN, END = "<!-- what benchmarks/summary.py writes -->", "<!-- up to here -->"


def figure(text, goal="", is_met=True):
    return (text if is_met else f"**{text}**"), goal


def read(path):
    return json.loads(path.read_text())


def percent(share):
    return f"{share * 100:.0f} %"


# ---- a function for each kind of result: rows of what was measured, the figure, the goal ----


def nodes(path):
    """Lines of `framemesh bench`, some for each number of nodes."""
    rounds = {}
    for line in path.read_text().splitlines():
        result = json.loads(line)
        rounds.setdefault(int(result["configuration"]["nodes"]), []).append(result)
    for count, results in rounds.items():
        points, ms = [result["points"][0] for result in results], float(results[0]["configuration"]["simulate-ms"])
        rate = statistics.median(point["frames_per_second"] for point in points)
        coordinator = 1000 * statistics.median(
            sum(each["cpu_seconds_per_thousand"] for each in point["processes"] if each["name"] == "coordinator") for point in points)
        failed = sum(point["failed"] for point in points)
        ideal = f", {percent(rate / (count * 1000 / ms))} of ideal" if ms else ""
        text = f"{rate:.1f} frames/s{ideal}, coordinator {coordinator:.0f} µs a frame" + (f", {failed} failed" if failed else "")
        goal = "" if ms else "coordinator ≤ 60 µs"
        yield f"{count} node{'s' if count > 1 else ''} of {ms:g} ms", *figure(text, goal, not failed and (ms > 0 or coordinator <= 60))


def in_process(path):
    found = {each["name"]: each for each in read(path)}
    base = found["in process, 2 threads"]["frames_per_second"]
    for name, each in found.items():
        is_bound = name in ("fused, unary, 8", "fused, stream, 8")
        share = each["frames_per_second"] / base
        text = f"{each['frames_per_second']:.1f} frames/s, {percent(share)} of 2 threads; p50 {each['p50_ms']:.1f}, p99 {each['p99_ms']:.1f} ms"
        yield name, *figure(text, "≥ 85 %" if is_bound else "", not is_bound or share >= 0.85)


def processor(path):
    times = {name: statistics.median(each) for name, each in read(path)["seconds_of_a_frame"].items()}
    for name, goal in (("fused", 0.9), ("apart", 0.8)):
        share = times["in process"] / times[name]
        text = f"{times[name] * 1000:.1f} ms a frame, {percent(share)} of in process"
        yield f"mesh, {name}", *figure(text, f"≥ {percent(goal)}", share >= goal)


def gateway(path):
    report = read(path)
    value = report["median_difference_ms"]
    yield "p50 of a picture through HTTP, beyond gRPC's", *figure(f"{value:.2f} ms", "≤ 1 ms", value <= 1)
    yield "the gateway's processor time of a picture", *figure(f"{report['processor_ms']['gateway']:.2f} ms")


def clients(path):
    report = read(path)
    answers, sizes = report["answers"], [size / 1024 for size in report["resident_kib"]]
    others = sum(count for name, count in answers.items() if name not in ("200", "429"))
    yield f"answers to {report['clients']} clients in {report['seconds']:.0f} s", *figure(
        ", ".join(f"{count} × {name}" for name, count in answers.items()), "200 and 429 only", others == 0)
    yield "the gateway's memory in each ninth of it", *figure(" ".join(f"{size:.0f}" for size in sizes) + " MiB", "flat")


def servers(path):
    report = read(path)
    for name, by in report["results"].items():
        opened = {loop["rate"]: loop["results"][name] for loop in report["open_loops"].values() if name in loop["results"]}
        failed = sum(each["failures"] for each in [*by.values(), *opened.values()])
        rates = " / ".join(f"{each['requests_per_second']:.0f}" for each in by.values())
        tails = [f"p99 {each['p99_ms']:.0f} ms at {rate:.0f}/s" for rate, each in opened.items()]
        text = ", ".join([f"{rates} requests/s", *tails, *([f"{failed} failed"] if failed else [])])
        yield f"{name}, {' / '.join(by)} at once", *figure(text)
    for name, (value, goal, is_met) in report["ratios"].items():
        yield f"{name}, of the best rival's", *figure(f"{value:.2f}", goal or "", is_met)


# The first engine's time by the second one's, and whether a network's is good enough.
MOST = {"yolo-fastest-1.1": 1.4, "ultraface-RFB-320": 1.4, "squeezenet-1.1": 1.1, "FastestDet": 1.6}
VISION_GOALS = {
    ("opencv", "opencv+onednn"): ("≥ 2.4", lambda _, ratio: ratio >= 2.4),
    ("opencv+onednn", "openvino in Python"): (
        "≤ " + ", ".join(f"{most} {name}" for name, most in MOST.items()), lambda name, ratio: ratio <= MOST.get(name, ratio)),
    ("openvino", "openvino in Python"): ("≤ 1.05", lambda _, ratio: ratio <= 1.05),
}


def vision(path):
    for (one, other), (goal, is_met) in VISION_GOALS.items():
        found = {}
        for name, engines in read(path)["results"].items():
            if one in engines and other in engines:
                pairs = zip(engines[one]["round_medians_ms"], engines[other]["round_medians_ms"])
                found[name] = statistics.median(a / b for a, b in pairs)
        cells = [figure(f"{name} {ratio:.2f}", is_met=is_met(name, ratio))[0] for name, ratio in found.items()]
        yield f"a pass of {one} ÷ {other}", *figure(", ".join(cells), goal)


def tracking(path):
    report = read(path)
    for name, lines in report["quality"].items():
        yield f"IDF1 of {name}", *figure(", ".join(f"{line['idf1']:.3f} of {title}" for title, line in lines.items()))
    for count, times in report["microseconds"].items():
        ours = times["framemesh"]
        ratio = min(time for name, time in times.items() if name != "framemesh") / ours
        yield f"an update of {count} objects", *figure(f"{ours:.1f} µs, least ratio {ratio:.0f}", "ratio ≥ 10", ratio >= 10)


def rpc(path):
    yield "RPC/s, latency, memory beside gRPC C++ and grpc-swift-2", *figure(f"[results/{path.stem}.md](results/{path.stem}.md)")


COMPARISONS = {
    "scaling": nodes, "reach": nodes, "coordinator": nodes, "in-process": in_process, "processor": processor, "gateway": gateway,
    "clients": clients, "flask": servers, "servers": servers, "engines": servers, "vision": vision, "tracking": tracking, "rpc": rpc,
}


def commit():
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "no commit"


def main():
    measured = sys.argv[1:]
    if unknown := set(measured) - set(COMPARISONS):
        sys.exit(f"there is no comparison {' or '.join(sorted(unknown))}")
    runs = read(RUNS) if RUNS.exists() else {}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    runs |= {name: {"date": today, "commit": commit()} for name in measured}
    RESULTS.mkdir(exist_ok=True)
    RUNS.write_text(json.dumps(runs, indent=1) + "\n")
    lines = ["| | | measured | goal |", "|---|---|---|---|"]
    for name, rows in COMPARISONS.items():
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        about = f"{name}, {runs[name]['date']} at {runs[name]['commit']}" if name in runs else name
        for what, text, goal in rows(path):
            lines.append(f"| {about} | {what} | {text} | {goal} |")
            about = ""
    text = README.read_text()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{README} has no '{BEGIN}' and '{END}' after it")
    README.write_text(f"{head}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{tail}")


if __name__ == "__main__":
    main()
