"""What is measured, and what is to be reached: the table of goals as data."""

from dataclasses import dataclass

from systems import CPP, CPP_CONTIGUOUS, CPP_MALLOC, NGHTTPD, OURS_ASYNC, OURS_SYNC, SWIFT, SWIFT_COALESCING, System

SIZE_720P = 1280 * 720 * 3
SIZE_1080P = 1920 * 1080 * 3


@dataclass(frozen=True)
class Row:
    """One workload for all systems. `load` names the generator that makes its numbers."""

    name: str
    group: str
    title: str
    systems: tuple[System, ...]
    size: int = 64
    connections: int = 1
    outstanding: int = 1
    load: str = "replay"
    attachments: bool = False

    @property
    def compared(self) -> tuple[str, ...]:
        """The same for all rows whose numbers are compared with each other; of one system they are measured in turns."""
        return (self.group, str(self.size)) if self.group == "attachments" else (self.name,)

    @property
    def is_large(self) -> bool:
        return self.size > 4096


@dataclass(frozen=True)
class Goal:
    """`system` in `metric` against `peer`, within one round: at least or at most `factor` times."""

    row: str
    metric: str
    system: str
    peer: str
    factor: float
    at_most: bool = False
    #: The row of the peer, if it is another one.
    peer_row: str | None = None

    def is_reached(self, ratio: float) -> bool:
        return ratio <= self.factor if self.at_most else ratio >= self.factor


_FLOOR = (NGHTTPD, OURS_SYNC, OURS_ASYNC, CPP, CPP_MALLOC)
_LARGE = (*_FLOOR, SWIFT_COALESCING)

ROWS = [
    Row("small", "small", "unary 64 B, 4 connections × 100 (h2load)", _LARGE, 64, 4, 100, load="h2load"),
    Row("small-replay", "small", "unary 64 B, 4 connections × 100 (replay, cheaper)", _LARGE, 64, 4, 100),
    Row("latency", "latency", "unary 64 B, 1 outstanding", (*_FLOOR, SWIFT), 64),
    Row("latency-64", "latency", "unary 64 B, 64 outstanding", _LARGE, 64, 1, 64),
    Row(
        "latency-cpp", "latency", "unary 64 B, 1 outstanding, by the gRPC C++ client",
        (OURS_SYNC, OURS_ASYNC, CPP, CPP_MALLOC, SWIFT), 64, load="grpc-cpp",
    ),
    Row("100k-64", "large", "100 KB, 64 outstanding", _LARGE, 100_000, 1, 64),
    *(
        Row(
            f"{name}-{n}", "large", f"{name} ({size / 1e6:.2f} MB), {n} outstanding",
            (*_LARGE, CPP_CONTIGUOUS) if n == 1 else _LARGE, size, 1, n,
        )
        for n in (1, 4, 64)
        for name, size in (("720p", SIZE_720P), ("1080p", SIZE_1080P))
    ),
    Row(
        "1080p-4-cpp", "large", "1080p, 4 outstanding, by the gRPC C++ client",
        (OURS_SYNC, OURS_ASYNC, CPP, CPP_MALLOC), SIZE_1080P, 1, 4, load="grpc-cpp",
    ),
    *(
        Row(f"{form}-{name}", "attachments", f"{name}, 8 outstanding, {form}", (OURS_SYNC, OURS_ASYNC), size, 1, 8,
            attachments=form == "attachment")
        for name, size in (
            ("64B", 64), ("4KB", 4096), ("100KB", 100_000), ("720p", SIZE_720P), ("1080p", SIZE_1080P))
        for form in ("plain", "attachment")
    ),
]  # fmt: skip

ROW_BY_NAME = {row.name: row for row in ROWS}
GROUPS = ["small", "latency", "large", "attachments", "client", "memory", "health", "copies"]


def _against(row: str, metric: str, system: str, factors: tuple[float, float, float | None], at_most=False):
    peers = ("grpc-cpp", "grpc-cpp-malloc", "grpc-swift")
    return [Goal(row, metric, system, p, f, at_most) for p, f in zip(peers, factors, strict=True) if f is not None]


def _goals() -> list[Goal]:
    goals = [
        *_against("small", "rpc_per_second", "ours-async", (3, 3, 20)),
        *_against("small", "cpu_us_per_rpc", "ours-async", (1 / 3, 1 / 3, None), at_most=True),
        *_against("small", "rpc_per_second", "ours-sync", (5, 5, 35)),
        *_against("small-replay", "rpc_per_second", "ours-async", (3, 3, 20)),
        *_against("small-replay", "rpc_per_second", "ours-sync", (5, 5, 35)),
        *_against("latency", "p50_us", "ours-sync", (0.9, 0.9, 0.25), at_most=True),
        *_against("latency", "p50_us", "ours-async", (0.9, 0.9, 0.25), at_most=True),
        *_against("100k-64", "mb_per_second", "ours-sync", (2.5, 1.3, 8)),
        *_against("100k-64", "mb_per_second", "ours-async", (2, 1, 8)),
    ]
    for name in ("720p", "1080p"):
        goals += _against(f"{name}-1", "mb_per_second", "ours-sync", (1.5, 1.2, 2))
        goals += _against(f"{name}-1", "mb_per_second", "ours-async", (1.3, 1, 2))
        for outstanding in (4, 64):
            for system in ("ours-sync", "ours-async"):
                goals += _against(f"{name}-{outstanding}", "mb_per_second", system, (1.2, 1, 2))
    for size in ("64B", "4KB", "100KB", "720p", "1080p"):
        for system in ("ours-sync", "ours-async"):
            # Equal programs differ by this much from run to run.
            goals.append(
                Goal(f"attachment-{size}", "of_first", system, system, 0.95, peer_row=f"plain-{size}"))
    goals.append(Goal("client", "rpc_per_client_second", "ours-client", "grpc-cpp-client", 2))
    return goals


GOALS = _goals()
