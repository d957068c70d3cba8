"""The systems under measurement, and how each is started and asked."""

from dataclasses import dataclass, field, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

OURS = ROOT / ".build/release/ours-server"
OURS_CLIENT = ROOT / ".build/release/ours-client"
GRPC_CPP = ROOT / "peers/grpc-cpp/.build/grpc-cpp-server"
GRPC_CPP_CLIENT = ROOT / "peers/grpc-cpp/.build/grpc-cpp-client"
GRPC_SWIFT = ROOT / "peers/grpc-swift/.build/release/grpc-swift-server"
REPLAY = ROOT / "load/.build/replay"
CONGESTION_PROBE = ROOT / "probes/.build/congestion.so"
COUNTS_PROBE = ROOT / "probes/.build/counts.so"
DISTANCE_PROBE = ROOT / "probes/.build/distance"

GIBIBYTE = str(1 << 30)
REPLY_BYTES = 64
PREFIX_BYTES = 5


@dataclass(frozen=True)
class System:
    name: str
    title: str
    arguments: tuple[str, ...]
    method: str = "/bench.Bench/Async"
    environment: dict[str, str] = field(default_factory=dict)
    #: Serves a file as its reply, and tells nothing of the request.
    is_file_server: bool = False
    has_health: bool = True

    def command(self, port: int, folder: Path) -> list[str]:
        return [a.format(port=port, folder=folder) for a in self.arguments]

    def prepare(self, folder: Path, size: int) -> None:
        """A file server answers with the very bytes that a gRPC server would send for a request of this size."""
        if not self.is_file_server:
            return
        target = folder / self.method.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        reply = size.to_bytes(8, "big") + bytes(REPLY_BYTES - 8)
        target.write_bytes(b"\0" + REPLY_BYTES.to_bytes(4, "big") + reply)


_OURS = (str(OURS), "--port", "{port}")

OURS_SYNC = System("ours-sync", "ours, synchronous", _OURS, method="/bench.Bench/Sync")
OURS_ASYNC = System("ours-async", "ours, `async`", _OURS)
CPP = System("grpc-cpp", "gRPC C++", (str(GRPC_CPP), "{port}"))
CPP_MALLOC = System(
    "grpc-cpp-malloc",
    "gRPC C++, malloc tuned",
    (str(GRPC_CPP), "{port}"),
    environment={"MALLOC_MMAP_THRESHOLD_": GIBIBYTE, "MALLOC_TRIM_THRESHOLD_": GIBIBYTE},
)
# gRPC hands over a message in many pieces; code that works on pixels needs it in one, as our handlers get it.
CPP_CONTIGUOUS = replace(
    CPP_MALLOC,
    name="grpc-cpp-contiguous",
    title="gRPC C++, malloc tuned, in one piece",
    arguments=(*CPP.arguments, "contiguous"),
)
# Coalescing of flushes trades latency for throughput, so each row gets the setting that suits it.
SWIFT = System("grpc-swift", "grpc-swift-2", (str(GRPC_SWIFT), "{port}"), has_health=False)
SWIFT_COALESCING = System("grpc-swift", "grpc-swift-2", (str(GRPC_SWIFT), "{port}", "coalesce"), has_health=False)
NGHTTPD = System(
    "nghttpd",
    "nghttpd (floor)",
    # fmt: off
    ("nghttpd", "--no-tls", "--address=127.0.0.1", "--trailer=grpc-status: 0", "--htdocs={folder}",
     "-w", "24", "-W", "24", "{port}"),
    # fmt: on
    is_file_server=True,
    has_health=False,
)
