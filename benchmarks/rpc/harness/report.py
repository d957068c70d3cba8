"""From measurements to a page: medians, ratios within a round, goals."""

from collections import Counter, defaultdict
from statistics import median

from rows import GOALS, ROWS, Goal

TITLES = {system.name: system.title for row in ROWS for system in row.systems}
METRICS = {
    "rpc_per_second": "RPC/s",
    # Of two forms of a call.
    "of_first": "RPC/s",
    "mb_per_second": "MB/s",
    "cpu_us_per_rpc": "CPU µs/RPC",
    "p50_us": "p50",
    "rpc_per_client_second": "RPC per client CPU second",
}
CAP_BYTES = 256 << 20
HEALTH_MILLIS = 5
GOALS_TEXT = "Ratios within one round; median [least–most] (goal). Far: measured with the two cores far apart."


class Measured:
    """Looks measurements up by row, system and congestion control."""

    def __init__(self, measurements: list[dict]):
        #: By round, and where the cores were.
        self._rounds: dict[tuple[str, str, str], dict[tuple[int, str], dict]] = defaultdict(dict)
        for entry in measurements:
            place = entry["congestion"], entry["row"], entry["system"]
            self._rounds[place][entry["round"], entry["cores"]] = entry

    def median(self, congestion: str, row: str, system: str, metric: str) -> float | None:
        entries = [e for e in self._rounds[congestion, row, system].values() if metric in e]
        near = [e for e in entries if e["cores"] == "near"]
        return median(e[metric] for e in near or entries) if entries else None

    def ratios(self, congestion: str, goal: Goal) -> tuple[list[float], str]:
        """One for each round that has both with the cores near each other; if none has, with them far apart."""
        ours = self._rounds[congestion, goal.row, goal.system]
        peers = self._rounds[congestion, goal.peer_row or goal.row, goal.peer]
        for where in ("near", "far"):
            both = [key for key in sorted(ours.keys() & peers.keys()) if key[1] == where and goal.metric in ours[key]]
            if both:
                return [ours[key][goal.metric] / peers[key][goal.metric] for key in both], where
        return [], ""


def _table(head: list[str], lines: list[list[str]]) -> str:
    aligned = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, aligned, *lines]) + "\n"


def _verdict(is_reached: bool) -> str:
    return "✓" if is_reached else "✗"


def _ratio_cell(measured: Measured, congestion: str, goal: Goal | None) -> str:
    if goal is None:
        return ""
    ratios, where = measured.ratios(congestion, goal)
    if not ratios:
        return "–"
    ratio = median(ratios)
    sign = "≤" if goal.at_most else "≥"
    spread = f" [{min(ratios):.2f}–{max(ratios):.2f}]" if len(ratios) > 1 else ""
    verdict = _verdict(goal.is_reached(ratio)) + (" far" if where == "far" else "")
    return f"**{ratio:.2f}**{spread} ({sign} {goal.factor:.2g}) {verdict}"


def _goal_table(measured: Measured, congestion: str) -> str:
    peers = ["grpc-cpp", "grpc-cpp-malloc", "grpc-swift"]
    titles = {row.name: row.title for row in ROWS}
    cells: dict[tuple[str, str, str], dict[str, Goal]] = defaultdict(dict)
    for goal in GOALS:
        if goal.peer in peers:
            cells[goal.row, goal.metric, goal.system][goal.peer] = goal
    lines = []
    for (row, metric, system), goals in cells.items():
        values = [_ratio_cell(measured, congestion, goals.get(peer)) for peer in peers]
        if any(value not in ("", "–") for value in values):
            lines.append([f"{titles[row]}, {METRICS[metric]}", TITLES[system], *values])
    if not lines:
        return ""
    return _table(["workload", "handler", *(f"× {TITLES[peer]}" for peer in peers)], lines)


def _number(value: float | None) -> str:
    # No call that began within the time ended within it.
    if not value:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _row_table(measured: Measured, congestion: str, row) -> str:
    unit = "mb_per_second" if row.is_large else "rpc_per_second"
    lines = []
    for system in dict.fromkeys(s.name for s in row.systems):
        rate = measured.median(congestion, row.name, system, unit)
        if rate is None:
            continue
        get = lambda metric, s=system: measured.median(congestion, row.name, s, metric)
        memory, busy = get("peak_memory"), get("load_busy")
        lines.append([
            TITLES[system], _number(rate), _number(get("cpu_us_per_rpc")), _number(get("p50_us")),
            _number(get("p99_us")), _number(memory / (1 << 20) if memory else None), f"{busy:.0%}" if busy else "–",
        ])  # fmt: skip
    if not lines:
        return ""
    head = [row.title, METRICS[unit], "server CPU µs/RPC", "p50 µs", "p99 µs", "peak memory MiB", "load busy"]
    return _table(head, lines)


def _attachment_table(measured: Measured, congestion: str) -> str:
    lines = []
    for goal in GOALS:
        if goal.peer_row and measured.ratios(congestion, goal)[0]:
            plain = measured.median(congestion, goal.peer_row, goal.peer, "rpc_per_second")
            attached = measured.median(congestion, goal.row, goal.system, "rpc_per_second")
            size = goal.row.removeprefix("attachment-")
            lines.append([
                f"{size}, {TITLES[goal.system]}", _number(plain), _number(attached),
                _ratio_cell(measured, congestion, goal),
            ])  # fmt: skip
    if not lines:
        return ""
    head = ["8 outstanding", "plain RPC/s", "attachment RPC/s", "attachment ÷ plain"]
    return "## Attachment framing beside the plain one\n\n" + _table(head, lines)


def _client_table(measured: Measured, congestions: list[str]) -> str:
    lines = []
    goal = next(g for g in GOALS if g.row == "client")
    for congestion in congestions:
        for system in ("ours-client", "ours-bare-client", "grpc-cpp-client"):
            get = lambda metric, c=congestion, s=system: measured.median(c, "client", s, metric)
            if get("rpc_per_second") is None:
                continue
            lines.append([
                f"{system}, {congestion}", _number(get("rpc_per_second")), _number(get("rpc_per_client_second")),
                _number(get("client_cpu_us_per_rpc")), _number(get("p50_us")), _number(get("p99_us")),
                _ratio_cell(measured, congestion, goal) if system == goal.system else "",
            ])  # fmt: skip
    if not lines:
        return ""
    head = [
        "client, 64 B, 4 × 100, against ours sync", "RPC/s", "RPC per client CPU second", "client CPU µs/RPC", "p50 µs",
        "p99 µs", "ours ÷ gRPC C++",
    ]  # fmt: skip
    return "## Clients\n\n" + _table(head, lines)


def _memory_tables(memory: dict[str, dict]) -> str:
    parts = []
    idle = [[name.removeprefix("idle "), _number(v["none"] / (1 << 20)), _number(v["first"] / 1024),
             _number(v["each_of_1000"] / 1024)] for name, v in memory.items() if name.startswith("idle ")]  # fmt: skip
    if idle:
        parts.append(_table(
            ["memory of connections that did one call", "server alone MiB", "the first KiB", "each of 1,000 KiB"],
            idle))  # fmt: skip
    capped = []
    for name in ("ours-sync", "ours-async"):
        cap = memory.get(f"capped {name}")
        if not cap:
            continue
        capped.append([
            TITLES[name], f"{cap['peak_memory'] / (1 << 20):.0f} {_verdict(cap['peak_memory'] <= CAP_BYTES)}",
            _number(cap["mb_per_second"]), f"{cap['peak_memory_uncapped'] / (1 << 20):.0f}",
            _number(cap["mb_per_second_uncapped"]),
            f"{cap['share']:.2f} (≥ 0.9) {_verdict(cap['share'] >= 0.9)}",
        ])  # fmt: skip
    if capped:
        head = ["64 × 1080p outstanding", "peak memory MiB (≤ 256)", "MB/s", "without the cap: MiB", "MB/s", "share"]
        parts.append(_table(head, capped))
    return "## Memory\n\n" + "\n".join(parts) if parts else ""


def _health_table(health: dict[str, dict]) -> str:
    lines = []
    for name, v in health.items():
        goal = f" (< {HEALTH_MILLIS}) {_verdict(v['p99_ms'] < HEALTH_MILLIS)}" if name.startswith("ours") else ""
        lines.append([name, f"{v['p99_ms']:.2f}{goal}", f"{v['p50_ms']:.2f}", _number(v["mb_per_second"]),
                      f"{v['probes']:.0f}"])  # fmt: skip
    head = ["server by client", "p99 ms", "p50 ms", "MB/s beside it", "checks"]
    return "## Health checks while 8 MB messages (4 outstanding) fill the same connection\n\n" + _table(head, lines)


def _copies_table(copies: dict[str, dict]) -> str:
    lines = [[name, _number(v["allocations_per_call"]), _number(v["allocated_bytes_per_call"]),
              f"{v['copied_bytes_per_payload_byte']:.2f}"] for name, v in copies.items()]  # fmt: skip
    head = ["server, request", "allocations per call", "bytes allocated per call", "bytes copied per payload byte"]
    return "## Allocations and copies\n\n" + _table(head, lines)


def _where_the_cores_were(measurements: list[dict]) -> str:
    places = Counter(entry["cores"] for entry in measurements)
    distances = defaultdict(list)
    for entry in measurements:
        distances[entry["cores"]].append(entry["core_distance_ns"])
    return ", ".join(f"{place} in {n} measurements ({median(distances[place]):.0f} ns)" for place, n in places.items())


def markdown(results: dict) -> str:
    measured = Measured(results["measurements"])
    facts = results["machine"] | {"the two cores were": _where_the_cores_were(results["measurements"])}
    parts = ["# RPC benchmarks\n", _table(["measured on", ""], [[k, v] for k, v in facts.items()])]
    if results["failures"]:
        parts.append("**This run failed:**\n\n" + "".join(f"- {failure}\n" for failure in results["failures"]))
    for congestion in results["congestion"]:
        table = _goal_table(measured, congestion)
        if table:
            parts.append(f"## Goals, under {congestion}\n\n{GOALS_TEXT}\n\n{table}")
    parts.append(_client_table(measured, results["congestion"]))
    parts.append(_attachment_table(measured, results["congestion"][0]))
    once = results["once"]
    parts.append(_memory_tables(once.get("memory", {})))
    parts.append(_health_table(once["health"]) if once.get("health") else "")
    parts.append(_copies_table(once["copies"]) if once.get("copies") else "")
    for congestion in results["congestion"]:
        tables = [_row_table(measured, congestion, row) for row in ROWS if row.group != "attachments"]
        if any(tables):
            parts.append(f"## Numbers, under {congestion}\n\nMedians of the rounds.\n\n" + "\n".join(filter(None, tables)))
    return "\n".join(part for part in parts if part)
