#!/usr/bin/env python3
"""Writes what `benchmarks/results/*.json` say as one table into benchmarks/README.md, between its two markers.

    benchmarks/summary.py [NAME…]      # comparisons of benchmarks/run.sh that have just been measured, of this commit

Figures are medians, with the range of the rounds where there are some. Where a goal was set it stands beside the figure; what misses it is
bold."""
import datetime
import json
import pathlib
import statistics
import subprocess
import sys

import framemesh

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE / "rpc/harness"))
from report import CAP_BYTES, HEALTH_MILLIS, METRICS, Measured  # noqa: E402
from rows import GOALS, ROWS  # noqa: E402

RESULTS = HERE / "results"
# When, and at which commit, each was measured.
RUNS = RESULTS / "runs.json"
README = HERE / "README.md"
BEGIN, END = "<!-- what benchmarks/summary.py writes -->", "<!-- up to here -->"


def figure(text, goal="", is_met=True):
    return bold(text, not is_met), goal


def bold(text, is_missed):
    return f"**{text}**" if is_missed else text


def read(path):
    return json.loads(path.read_text())


def percent(share):
    return f"{share * 100:.0f} %"


def ranged(values, decimals=0, scale=1, unit=""):
    """The median of some rounds, and from where to where they go."""
    values = [values["median"], values["least"], values["most"]] if isinstance(values, dict) else [
        statistics.median(values), min(values), max(values)]
    median, least, most = (f"{value * scale:.{decimals}f}" for value in values)
    return median + unit + (f" ({least} to {most})" if least != most else "")


def shares(spread):
    """Of something else, in percent."""
    return ranged(spread, scale=100, unit=" %")


def troubles(points, name="rounds"):
    """What is wrong with these, as the end of a text."""
    failed, unstable = sum(point["failed"] for point in points), sum(not point["is_stable"] for point in points)
    return (f", {failed} failed" if failed else "") + (f"; {unstable} of {len(points)} {name} unstable" if unstable else "")


# ---- a function for each kind of result: rows of what was measured, the figure, the goal ----


def nodes(path):
    """Lines of `framemesh bench`, some for each rate and number of nodes."""
    rounds = {}
    for line in path.read_text().splitlines():
        result = json.loads(line)
        configuration = result["configuration"]
        key = float(configuration.get("rate", 0)), int(configuration["nodes"]), float(configuration["simulate-ms"])
        rounds.setdefault(key, []).append(result["points"][0])
    costs = {key: [framemesh.processor(point, "coordinator") for point in points] for key, points in rounds.items()}
    # In microseconds a second: so few frames that what is taken does not come from them.
    idle = {
        (count, ms): [cost * point["frames_per_second"] for cost, point in zip(costs[rate, count, ms], points)]
        for (rate, count, ms), points in rounds.items() if 0 < rate < 1}
    for (rate, count, ms), points in rounds.items():
        if 0 < rate < 1:
            yield f"{count} node{'s' if count > 1 else ''}, {rate:g} frames/s sent", *figure(
                f"coordinator {ranged(idle[count, ms], 1, 1e-3)} ms a second")
            continue
        rates = [point["frames_per_second"] for point in points]
        ideal = f", {percent(statistics.median(rates) / (count * 1000 / ms))} of ideal" if ms and not rate else ""
        cost = costs[rate, count, ms]
        # If nothing else did: what it takes is of all cores.
        core = f"{1e6 / statistics.median(cost):,.0f} frames/s by one core"
        text = f"{ranged(rates, 1)} frames/s{ideal}, coordinator {ranged(cost)} µs a frame, so {core}{troubles(points)}"
        is_met = ms > 0 or (statistics.median(cost) <= 60 and not any(point["failed"] for point in points))
        what = f"{count} node{'s' if count > 1 else ''} of {ms:g} ms" + (f", {rate:g} frames/s sent" if rate else "")
        yield what, *figure(text, "" if ms else "coordinator ≤ 60 µs", is_met)
    for rate, ms in dict.fromkeys((rate, ms) for rate, _, ms in rounds if rate >= 1):
        counts = sorted(count for other, count, _ in rounds if other == rate)
        ratios = [most / least for least, most in zip(costs[rate, counts[0], ms], costs[rate, counts[-1], ms])]
        yield f"coordinator's time of a frame, {counts[-1]} nodes ÷ {counts[0]}, {rate:g} frames/s", *figure(
            ranged(ratios, 2), "flat: ≤ 1.1", statistics.median(ratios) <= 1.1)
        if idle:
            beyond = [[cost - still / rate for cost, still in zip(costs[rate, count, ms], idle[count, ms])] for count in
                      (counts[0], counts[-1])]
            yield "the same, without what it takes idle", *figure(ranged([most / least for least, most in zip(*beyond)], 2))


# Of a mesh's throughput in one process: by the engine that was asked for and the kind of mesh.
IN_PROCESS_GOALS = {("opencv", "apart"): 0.9, ("default", "apart"): 0.8, ("default", "fused"): 0.9}


def in_process(path):
    report = read(path)
    for cell in report["cells"]:
        kinds, goals = cell["kinds"], {}
        if cell["has_goal"]:
            goals = {name: goal for (engine, name), goal in IN_PROCESS_GOALS.items() if engine == cell["asked_engine"]}
        parts = [f"in process {ranged([each[cell['key']] for each in kinds['in process']['rounds']], 1)} {cell['unit']}"]
        for name in ("apart", "fused"):
            is_missed = kinds[name]["of_in_process"]["median"] < goals.get(name, 0) or (name in goals and kinds[name]["failed"] > 0)
            parts.append(bold(f"{name} {kinds[name]['median']:.1f}, {shares(kinds[name]['of_in_process'])}", is_missed))
        text = ", ".join(parts) + troubles([each for kind in kinds.values() for each in kind["rounds"]], "measurements")
        what = f"{cell['pipeline']}, {cell['size'].replace('x', '×')} {cell['form']}, {cell['engine']}, {cell['at_once']} at once"
        yield what, *figure(text, ", ".join(f"{name} ≥ {percent(goal)}" for name, goal in goals.items()))


def processor(path):
    report = read(path)
    for name, kind in report["kinds"].items():
        goal = {"fused": 0.9, "apart": 0.8}.get(name)
        times, share = kind["seconds_of_a_frame"], kind["of_in_process"]
        text = f"{ranged(times, 1, 1000)} ms a frame" + (f", {shares(share)} of in process" if goal else "")
        yield f"{report['pipeline']}, {report['engine']}, {name}", *figure(
            text, f"≥ {percent(goal)}" if goal else "", goal is None or share["median"] >= goal)


def latency(path):
    for name, each in read(path)["detectors"].items():
        added = each["added_p50_ms"]
        text = f"{ranged(each['p50_ms']['node'], 2)} ms directly, {ranged(added, 2)} ms more{troubles(each['rounds'])}"
        yield f"p50 through a coordinator, 640×480 JPEG, {name}", *figure(text, "≤ 0.7 ms more", added["median"] <= 0.7)


def overload(path):
    report = read(path)
    for name, what, goal, is_met in (
            ("goodput_of_peak", "unary, goodput at 10 × the capacity, of the peak", "≥ 90 %", lambda share: share >= 0.9),
            ("age_p99_of_quiet", "cameras with `latest`, p99 of the age at 10 ×, of that at 0.5 ×", "≤ 2", lambda ratio: ratio <= 2)):
        ratio = report[name]
        text = shares(ratio) if goal.endswith("%") else ranged(ratio, 2)
        yield what, *figure(text, goal, is_met(ratio["median"]))
    for kind, rounds in report["rounds"].items():
        points = [next(point for point in each if point["load"].get("factor") == 10) for each in rounds]
        capacity = ranged([each[0]["frames_per_second"] for each in rounds], 1)
        text = f"{ranged([point['frames_per_second'] for point in points], 1)} of {capacity} frames/s answered, p99 "
        text += f"{ranged([point['latency_ms']['p99'] for point in points])} ms, the oldest without an answer at the end "
        text += f"{ranged([point['oldest_unanswered_ms'] for point in points])} ms"
        others = [point | {"failed": point["failed"] - point["refused"]} for point in points]
        yield f"{'unary' if kind == 'unary' else 'cameras with `latest`'} at 10 ×", *figure(text + troubles(others))


def gateway(path):
    report = read(path)
    value = report["median_difference_ms"]
    differences = [each["gateway_p50_ms"] - each["grpc_p50_ms"] for each in report["rounds"]]
    yield "p50 of a picture through HTTP, beyond gRPC's", *figure(ranged(differences, 2) + " ms", "≤ 1 ms", value <= 1)
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
        rates = " / ".join(ranged(each["requests_per_second_of_rounds"]) for each in by.values())
        tails = [f"p99 {ranged(each['p99_ms_of_rounds'])} ms at {rate:.0f}/s" for rate, each in opened.items()]
        text = ", ".join([f"{rates} requests/s", *tails, *([f"{failed} failed"] if failed else [])])
        yield f"{name}, {' / '.join(by)} at once", *figure(text)
    for name, (value, goal, is_met, *spread) in report["ratios"].items():
        text = f"{value:.2f}" + (" ({:.2f} to {:.2f})".format(*spread) if spread else "")
        yield f"{name}, of the best rival's", *figure(text, goal or "", is_met)


# The first engine's time by the second one's, and whether a network's is good enough.
MOST = {"yolo-fastest-1.1": 1.4, "ultraface-RFB-320": 1.4, "squeezenet-1.1": 1.1, "FastestDet": 1.6}
VISION_GOALS = {
    ("opencv", "opencv+onednn"): ("≥ 2.4", lambda _, ratio: ratio >= 2.4),
    ("opencv+onednn", "openvino in Python"): (
        "≤ " + ", ".join(f"{most} {name}" for name, most in MOST.items()), lambda name, ratio: ratio <= MOST.get(name, ratio)),
    ("openvino", "openvino in Python"): ("≤ 1.05", lambda _, ratio: ratio <= 1.05),
}
# Of OpenCV alone, in frames a second: detect and classify in one process.
PIPELINE, PIPELINE_BASE, PIPELINE_GOAL, PIPELINE_SIZE = "opencv+onednn", "plain OpenCV", 1.9, "640 × 480"


def vision(path):
    report = read(path)
    for (one, other), (goal, is_met) in VISION_GOALS.items():
        found = {}
        for name, engines in report["results"].items():
            if one in engines and other in engines:
                pairs = zip(engines[one]["round_medians_ms"], engines[other]["round_medians_ms"])
                found[name] = [a / b for a, b in pairs]
        cells = [
            bold(f"{name} {ranged(ratios, 2)}", not is_met(name, statistics.median(ratios))) for name, ratios in found.items()]
        yield f"a pass of {one} ÷ {other}", *figure(", ".join(cells), goal)
    for detector, sizes in report.get("pipelines", {}).items():
        for size, systems in sizes.items():
            yield f"{detector} + squeezenet-1.1 in one process / in two, {size} JPEG", *pipeline(size, systems)


def pipeline(size, systems):
    """Frames a second of all, and how many times the base's they are where there is a goal."""
    def rates(system, count):
        return [each["frames_per_second"][count] for each in systems[system]]

    text = ", ".join(
        f"{name} " + " / ".join(f"{statistics.median(rates(name, count)):.0f}" for count in ("one", "two")) for name in systems)
    ratios = [[a / b for a, b in zip(rates(PIPELINE, count), rates(PIPELINE_BASE, count))] for count in ("one", "two")]
    goal = PIPELINE_GOAL if size == PIPELINE_SIZE else 0
    shown = " / ".join(bold(ranged(each, 2), statistics.median(each) < goal) for each in ratios)
    return figure(f"{text} frames/s; {PIPELINE} ÷ {PIPELINE_BASE} {shown}", f"ratio ≥ {goal}" if goal else "")


def tracking(path):
    report = read(path)
    for name, lines in report["quality"].items():
        yield f"IDF1 of {name}", *figure(", ".join(f"{line['idf1']:.3f} of {title}" for title, line in lines.items()))
    for count, times in report["microseconds"].items():
        ours = times["framemesh"]
        ratio = min(time for name, time in times.items() if name != "framemesh") / ours
        yield f"an update of {count} objects", *figure(f"{ours:.1f} µs, least ratio {ratio:.0f}", "ratio ≥ 10", ratio >= 10)


def micro(path):
    report = read(path)
    limits, most = report["thresholds"], report["tolerance_percent"]
    changes = {piece: count / limits[piece] - 1 for piece, count in report["counted"].items() if piece in limits}
    (low, least), (high, greatest) = (pick(changes.items(), key=lambda item: item[1]) for pick in (min, max))
    text = f"{least:+.1%} (`{low}`) to {greatest:+.1%} (`{high}`) of the thresholds"
    # With another compiler or library nothing is judged.
    yield f"instructions of {len(changes)} hot pieces", *figure(
        text, f"≤ +{most} %" if most else "", most is None or greatest <= most / 100)


PEERS = {"grpc-cpp": "gRPC C++", "grpc-cpp-malloc": "malloc tuned", "grpc-swift": "grpc-swift-2", "grpc-cpp-client": "gRPC C++"}


def rpc(path):
    results = read(path)
    measured, titles = Measured(results["measurements"]), {row.name: row.title for row in ROWS}
    compared = {}
    for goal in GOALS:
        compared.setdefault((goal.row, goal.metric, goal.system), []).append(goal)
    for (row, metric, system), goals in compared.items():
        cells = [", ".join(filter(None, (ratio(measured, congestion, goal) for goal in goals))) for congestion in results["congestion"]]
        text = "; ".join(f"{name}: {cell}" for name, cell in zip(results["congestion"], cells) if cell)
        signs = ", ".join(f"{'≤' if goal.at_most else '≥'} {goal.factor:.2g}" for goal in goals)
        if text:
            what = f"{titles.get(row, row)}, {METRICS[metric]}, {system}" + (" ÷ the plain form" if goals[0].peer_row else " ÷")
            yield what, *figure(text, signs)
    for name, health in results["once"].get("health", {}).items():
        if name.startswith("ours"):
            yield f"a health check beside 8 MB messages, p99, {name}", *figure(
                f"{health['p99_ms']:.1f} ms", f"< {HEALTH_MILLIS} ms", health["p99_ms"] < HEALTH_MILLIS)
    for name, memory in results["once"].get("memory", {}).items():
        if name.startswith("capped"):
            text = f"{memory['peak_memory'] / (1 << 20):.0f} MiB, {memory['share']:.2f} of the throughput without the cap"
            yield f"64 × 1080p outstanding, {name.removeprefix('capped ')}", *figure(
                text, "≤ 256 MiB, ≥ 0.9", memory["peak_memory"] <= CAP_BYTES and memory["share"] >= 0.9)
    yield "all numbers", *figure(f"[results/{path.stem}.md](results/{path.stem}.md)")


def ratio(measured, congestion, goal):
    """Within the rounds, beside one peer; nothing where that was not measured."""
    ratios, where = measured.ratios(congestion, goal)
    if not ratios:
        return ""
    text = ranged(ratios, 2) + (" far" if where == "far" else "")
    return (f"{PEERS[goal.peer]} " if goal.peer in PEERS else "") + bold(text, not goal.is_reached(statistics.median(ratios)))


COMPARISONS = {
    "scaling": nodes, "reach": nodes, "flat": nodes, "coordinator": nodes, "latency": latency, "overload": overload,
    "in-process": in_process, "processor": processor, "gateway": gateway, "clients": clients, "servers": servers,
    "engines": servers, "vision": vision, "micro": micro, "tracking": tracking, "rpc": rpc,
}


def commit(name):
    """What was measured; where the result does not say, what is here now."""
    path = RESULTS / f"{name}.json"
    if path.exists():
        text = path.read_text()
        try:
            result = json.loads(text)
        except ValueError:
            result = json.loads(text.splitlines()[0])
        known = result.get("environment", result.get("machine", {})).get("commit") if isinstance(result, dict) else None
        if known:
            return known[:7] + known[40:]
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "no commit"


def main():
    measured = sys.argv[1:]
    if unknown := set(measured) - set(COMPARISONS):
        sys.exit(f"there is no comparison {' or '.join(sorted(unknown))}")
    runs = read(RUNS) if RUNS.exists() else {}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    runs |= {name: {"date": today, "commit": commit(name)} for name in measured}
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
