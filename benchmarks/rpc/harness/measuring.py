"""One measurement of one row, and the extra measurements that are no rows."""

import mmap
import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from rows import SIZE_1080P, SIZE_720P, Row
from running import Failed, IdleConnections, Server, congestion_in_use, h2load, real_client, replay
from systems import CPP, CPP_MALLOC, OURS_ASYNC, OURS_CLIENT, OURS_SYNC, SWIFT, System

CHECKED_CALLS = 4000
MIN_CALLS = 4000
#: More outstanding than this takes twice the time: it is answered in waves.
LARGE_BYTES = 100 << 20
UNCAPPED = 4 << 30
#: With and without the cap; one turn alone may be slowed down by the host.
CAP_TURNS = 5
#: Of two forms of the same call, each half as long as a measurement; even, so that each is first as often.
FORM_TURNS = 8


class Measurer:
    """Holds what all measurements share."""

    def __init__(self, port: int, seconds: float, warmup: float):
        self.port = port
        self.seconds = seconds
        self.warmup = warmup

    def _server(self, system: System, congestion: str | None, size: int = 64, counts: Path | None = None) -> Server:
        return Server(system, congestion, self.port, size, counts)

    def rows(self, rows: list[Row], system: System, congestion: str | None) -> list[dict[str, float]]:
        """One row; or the forms of one call, in short turns of one server."""
        with self._server(system, congestion, rows[0].size) as server:
            if rows[0].group == "attachments":
                return self._forms(rows, server)
            [row] = rows
            by = {"h2load": self._by_h2load, "replay": self._by_replay, "grpc-cpp": self._by_grpc_cpp}[row.load]
            return [by(row, server) | {"peak_memory": server.memory("VmHWM")}]

    def _forms(self, rows: list[Row], server: Server) -> list[dict[str, float]]:
        """Medians of the turns. `of_first` is that of the ratios within a turn: the host may be slow for some of them."""
        turns: list[list[dict[str, float]]] = [[] for _ in rows]
        for turn in range(FORM_TURNS):
            for index in sorted(range(len(rows)), reverse=turn % 2 == 1):
                turns[index].append(self._by_replay(rows[index], server, self.seconds / 2))
        rate = "rpc_per_second"
        return [
            {key: median(t[key] for t in form) for key in form[0]}
            | {"of_first": median(t[rate] / first[rate] for t, first in zip(form, turns[0], strict=True))}
            for form in turns
        ]

    def _by_h2load(self, row: Row, server: Server) -> dict[str, float]:
        # Warms up, checks what h2load does not look at, and tells how many calls fill the time.
        checked = replay(server, connections=row.connections, outstanding=row.outstanding, calls=CHECKED_CALLS)
        rate = checked["calls"] / checked["seconds"]
        calls = max(MIN_CALLS, int(rate * self.warmup))
        warm = h2load(server, calls, row.connections, row.outstanding, row.size)
        calls = max(MIN_CALLS, int(warm["rpc_per_second"] * self.seconds))
        return h2load(server, calls, row.connections, row.outstanding, row.size) | {"calls": calls}

    def _by_replay(self, row: Row, server: Server, seconds: float | None = None) -> dict[str, float]:
        run = replay(
            server, size=row.size, connections=row.connections, outstanding=row.outstanding,
            seconds=(seconds or self.seconds) * (2 if row.outstanding * row.size > LARGE_BYTES else 1), warmup=self.warmup,
            attachments=int(row.attachments))  # fmt: skip
        # Large calls end in waves: the bytes that went out tell more than the calls that ended.
        calls = run["sent_bytes"] / row.size if row.is_large else run["calls"]
        return _rates(row, calls, run["seconds"], run["server_cpu_seconds"], run) | {"calls": run["total_calls"]}

    def _by_grpc_cpp(self, row: Row, server: Server) -> dict[str, float]:
        before = server.cpu
        run = real_client(
            "grpc-cpp", server, size=row.size, connections=row.connections, outstanding=row.outstanding,
            seconds=self.seconds, warmup=self.warmup)  # fmt: skip
        cpu = (server.cpu - before) / run["total_calls"] * run["calls"]
        return _rates(row, run["calls"], run["seconds"], cpu, run) | {"calls": run["total_calls"]}

    def client(self, kind: str, congestion: str | None) -> dict[str, float]:
        """Small calls as fast as one core of a client goes, against our server with a synchronous handler."""
        with self._server(OURS_SYNC, congestion) as server:
            run = real_client(
                kind, server, connections=4, outstanding=100, seconds=self.seconds, warmup=self.warmup)
            return {
                "rpc_per_second": run["calls"] / run["seconds"],
                "rpc_per_client_second": run["calls"] / run["client_cpu_seconds"],
                "client_cpu_us_per_rpc": run["client_cpu_seconds"] / run["calls"] * 1e6,
                "p50_us": run["p50_us"],
                "p99_us": run["p99_us"],
            }

    def idle_memory(self, system: System) -> dict[str, float]:
        """Bytes that a connection costs once it has made a call and does nothing."""
        with self._server(system, None) as server:
            none = server.memory()
            with IdleConnections(server, 1):
                one = server.memory()
            with IdleConnections(server, 1000):
                thousand = server.memory()
            return {"none": none, "first": one - none, "each_of_1000": (thousand - one) / 999}

    def capped_memory(self, system: System) -> dict[str, float]:
        """64 × 1080p outstanding with the default budget for messages in flight, and without one, in turns.

        Each on a connection of its own: those of one connection wait for each other before memory is asked for."""
        turns: list[tuple[float, float]] = []
        peaks = []

        def speed(budget: tuple[str, ...]) -> float:
            with self._server(replace(system, arguments=(*system.arguments, *budget)), None) as server:
                run = replay(server, size=SIZE_1080P, outstanding=1, connections=64, seconds=self.seconds, warmup=self.warmup)
                peaks.append(server.memory("VmHWM"))
                return run["sent_bytes"] / run["seconds"] / 1e6

        while len(turns) < CAP_TURNS:
            turns.append((speed(()), speed(("--memory-budget", str(UNCAPPED)))))
        return {
            "mb_per_second": median(capped for capped, _ in turns),
            "mb_per_second_uncapped": median(free for _, free in turns),
            "share": median(capped / free for capped, free in turns),
            "peak_memory": max(peaks[::2]),
            "peak_memory_uncapped": max(peaks[1::2]),
        }

    def health(self, system: System, client: str) -> dict[str, float]:
        """Health checks beside 8 MB messages on the same connection."""
        probe = {} if system.has_health else {"probe": system.method}
        with self._server(system, None) as server:
            run = real_client(
                client, server, size=8 << 20, outstanding=4, seconds=max(2.0, self.seconds), warmup=self.warmup,
                probe_every=5, **probe)  # fmt: skip
            return {
                "probes": run["probes"],
                "p50_ms": run["probe_p50_us"] / 1e3,
                "p99_ms": run["probe_p99_us"] / 1e3,
                "mb_per_second": run["calls"] * (8 << 20) / run["seconds"] / 1e6,
            }

    def counts(self, system: System, size: int, outstanding: int, calls: int, attachments: bool = False):
        """Allocations per call and bytes copied in user space per byte of payload, once the server is warm."""
        with tempfile.NamedTemporaryFile(prefix="rpc-bench-counts-") as file:
            file.truncate(mmap.PAGESIZE)
            with self._server(system, None, size, Path(file.name)) as server:

                def load(calls: int) -> None:
                    replay(server, size=size, outstanding=outstanding, calls=calls, attachments=int(attachments))

                load(max(outstanding, calls // 2))
                # A connection costs something as well: two runs that differ only in their calls tell the calls' part.
                few, many = max(outstanding, calls // 10), calls
                before = _counters(file.name)
                load(few)
                between = _counters(file.name)
                load(many)
                after = _counters(file.name)
            short = [b - a for a, b in zip(before, between, strict=True)]
            long = [b - a for a, b in zip(between, after, strict=True)]
            per_call = [(y - x) / (many - few) for x, y in zip(short, long, strict=True)]
            return {
                "allocations_per_call": per_call[0],
                "allocated_bytes_per_call": per_call[1],
                "copied_bytes_per_payload_byte": per_call[3] / size,
            }

    def congestion_check(self, system: System, congestion: str | None, expected: str) -> None:
        with self._server(system, congestion) as server:
            in_use = congestion_in_use(server)
        if in_use != {expected}:
            raise Failed(f"{system.name} uses {', '.join(sorted(in_use))} where {expected} was asked for")


def _counters(path: str) -> tuple[int, int, int, int]:
    with open(path, "rb") as file:
        return struct.unpack("4Q", file.read(32))


def _rates(row: Row, calls: float, seconds: float, cpu: float, run: dict[str, float]) -> dict[str, float]:
    if calls == 0:
        raise Failed(f"{row.name}: no call ended")
    return {
        "rpc_per_second": calls / seconds,
        "mb_per_second": calls * row.size / seconds / 1e6,
        "cpu_us_per_rpc": cpu / calls * 1e6,
        "p50_us": run["p50_us"],
        "p99_us": run["p99_us"],
        "load_busy": run["client_cpu_seconds"] / seconds,
    }


def extras(groups: set[str], has_client: bool):
    """The measurements that are made once: (group, name, what to call)."""
    if "memory" in groups:
        for system in (OURS_SYNC, CPP, SWIFT):
            yield "memory", f"idle {system.name}", lambda m, s=system: m.idle_memory(s)
        for system in (OURS_SYNC, OURS_ASYNC):
            yield "memory", f"capped {system.name}", lambda m, s=system: m.capped_memory(s)
    if "health" in groups:
        for system in (OURS_SYNC, OURS_ASYNC, CPP, CPP_MALLOC):
            for client in ("ours", "grpc-cpp") if has_client else ("grpc-cpp",):
                yield "health", f"{system.name} by {client}", lambda m, s=system, c=client: m.health(s, c)
    if "copies" in groups:
        for system in (OURS_SYNC, OURS_ASYNC, CPP, SWIFT):
            for name, size, outstanding, calls in (
                ("64 B", 64, 64, 20000), ("100 KB", 100_000, 16, 1000), ("720p", SIZE_720P, 4, 100)):  # fmt: skip
                yield "copies", f"{system.name} {name}", (
                    lambda m, s=system, z=size, o=outstanding, c=calls: m.counts(s, z, o, c))
        yield "copies", "ours-sync 720p attachment", lambda m: m.counts(OURS_SYNC, SIZE_720P, 4, 100, True)


def clients() -> list[str]:
    return ["ours", "grpc-cpp"] if OURS_CLIENT.exists() else ["grpc-cpp"]


def bare_clients() -> list[str]:
    """Ours without a channel: beside the others it shows what the channel costs."""
    return ["ours-bare"] if OURS_CLIENT.exists() else []
