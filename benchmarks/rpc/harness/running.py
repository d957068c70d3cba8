"""Servers and loads as pinned processes that surely end."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from systems import CONGESTION_PROBE, COUNTS_PROBE, DISTANCE_PROBE, GRPC_CPP_CLIENT, OURS_CLIENT, REPLAY, System

SERVER_CORE = 0
LOAD_CORE = 1
START_SECONDS = 15
LOAD_SECONDS = 90
HEALTH_CHECK = "/grpc.health.v1.Health/Check"
#: Cores that share a cache take about 100 ns to hand a line to and fro, others 450 to 550.
NEAR_NANOSECONDS = 250
#: How long to wait for that before measuring.
NEAR_PATIENCE_SECONDS = 3


class Failed(Exception):
    """A system or a load did something that no number may hide."""


def cpu_seconds(process: int) -> float:
    """Processor time of a process, user and system, so far. What /proc/PID/stat tells in ticks, in nanoseconds."""
    return time.clock_gettime((~process << 3) | 2)


def core_distance() -> float:
    """Nanoseconds from the server's core to the load's and back."""
    command = [str(DISTANCE_PROBE), str(SERVER_CORE), str(LOAD_CORE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return float(done.stdout)


def wait_for_near_cores() -> None:
    """The host moves our cores as it likes; not for long."""
    deadline = time.monotonic() + NEAR_PATIENCE_SECONDS
    while core_distance() >= NEAR_NANOSECONDS and time.monotonic() < deadline:
        time.sleep(0.1)


class Server:
    """A system on the server's core, from `with` to its end."""

    def __init__(self, system: System, congestion: str | None, port: int, size: int = 64, counts: Path | None = None):
        self.system = system
        self.congestion = congestion
        self.port = port
        self._size = size
        self._counts = counts

    def __enter__(self) -> "Server":
        self._folder = Path(tempfile.mkdtemp(prefix="rpc-bench-"))
        self._log = (self._folder / "log").open("w+")
        documents = self._folder / "documents"
        documents.mkdir()
        self.system.prepare(documents, self._size)
        environment = os.environ | self.system.environment | congestion_environment(self.congestion)
        if self._counts:
            environment |= {"LD_PRELOAD": str(COUNTS_PROBE), "BENCH_COUNTS": str(self._counts)}
        self._process = subprocess.Popen(
            ["taskset", "-c", str(SERVER_CORE), *self.system.command(self.port, documents)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=environment,
        )
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        self._log.seek(0)
        raise Failed(f"{self.system.name} does not listen on port {self.port}: {self._log.read()[-500:]}")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        # taskset became the server by exec.
        return self._process.pid

    @property
    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def memory(self, field: str = "VmRSS") -> int:
        """Bytes: `VmRSS` now, `VmHWM` at most."""
        match = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(), re.MULTILINE)
        if not match:
            raise Failed(f"{self.system.name} has ended")
        return int(match.group(1)) << 10


def congestion_environment(congestion: str | None) -> dict[str, str]:
    if congestion is None:
        return {}
    return {"LD_PRELOAD": str(CONGESTION_PROBE), "BENCH_CONGESTION": congestion}


def _run_load(command: list[str], congestion: str | None) -> str:
    try:
        done = subprocess.run(
            ["taskset", "-c", str(LOAD_CORE), *command],
            capture_output=True,
            text=True,
            timeout=LOAD_SECONDS,
            env=os.environ | congestion_environment(congestion),
            check=False,
        )
    except subprocess.TimeoutExpired as timeout:
        raise Failed(f"{Path(command[0]).name} took over {LOAD_SECONDS} s") from timeout
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.stdout


def _flags(options: dict[str, object]) -> list[str]:
    return [part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def replay(server: Server, **options: object) -> dict[str, float]:
    """The cheap load generator; it checks every reply. Options are its flags."""
    flags = _flags({"method": server.system.method, "server_pid": server.pid} | options)
    return json.loads(_run_load([str(REPLAY), str(server.port), *flags], server.congestion))


def real_client(kind: str, server: Server, **options: object) -> dict[str, float]:
    """A gRPC client, `ours`, `ours-bare` (without a channel) or `grpc-cpp`; it checks every reply. Options are flags of
    `grpc-cpp`'s."""
    if kind == "ours-bare":
        return _ours_client(server, options | {"bare": 1})
    return (_ours_client if kind == "ours" else _grpc_cpp_client)(server, options)


def _grpc_cpp_client(server: Server, options: dict[str, object]) -> dict[str, float]:
    flags = _flags({"method": server.system.method} | options)
    return json.loads(_run_load([str(GRPC_CPP_CLIENT), str(server.port), *flags], server.congestion))


def _ours_client(server: Server, options: dict[str, object]) -> dict[str, float]:
    names = {"size": "bytes", "warmup": "warm-up", "probe_every": "probe", "probe": "probe-path"}
    options = {"probe": HEALTH_CHECK} | options if "probe_every" in options else options
    flags = _flags({"port": server.port, "path": server.system.method} | {names.get(k, k): v for k, v in options.items()})
    run = json.loads(_run_load([str(OURS_CLIENT), *flags], server.congestion))
    if run["failures"] > 0 or run.get("probe_failures", 0) > 0:
        raise Failed(f"ours-client on {server.system.name}: {run}")
    return run | {"client_cpu_seconds": run["client_cpu_us_per_call"] * run["calls"] / 1e6}


def h2load(server: Server, calls: int, connections: int, streams: int, size: int) -> dict[str, float]:
    """Fails unless all replies are 200; it does not see `grpc-status`, so `replay` must have checked this server."""
    with tempfile.NamedTemporaryFile(prefix="rpc-bench-") as body:
        body.write(b"\0" + size.to_bytes(4, "big") + bytes(size))
        body.flush()
        before = server.cpu
        # fmt: off
        output = _run_load(
            ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-n{calls}", "-d", body.name,
             "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "grpc-timeout: 20S",
             "-H", "x-request-id: 0123456789abcdef", "-w", "20", "-W", "24",
             f"http://127.0.0.1:{server.port}{server.system.method}"], server.congestion)
        # fmt: on
        cpu = server.cpu - before
    rate = re.search(r"finished in [^,]+, ([\d.]+) req/s", output)
    good = re.search(r"status codes: (\d+) 2xx", output)
    if not rate or not good or int(good.group(1)) != calls:
        raise Failed(f"h2load on {server.system.name}: {output[-800:]}")
    return {"rpc_per_second": float(rate.group(1)), "cpu_us_per_rpc": cpu / calls * 1e6}


class IdleConnections:
    """Connections that made one call each, and stay."""

    def __init__(self, server: Server, count: int):
        flags = _flags({"method": server.system.method, "connections": count, "calls": count, "hold": 1})
        self._process = subprocess.Popen(
            ["taskset", "-c", str(LOAD_CORE), str(REPLAY), str(server.port), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | congestion_environment(server.congestion),
        )

    def __enter__(self) -> "IdleConnections":
        if not self._process.stdout.readline():
            self.__exit__()
            raise Failed("the idle connections could not be made")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def congestion_in_use(server: Server) -> set[str]:
    """What the kernel says of both ends of a connection to this server."""
    names = set()
    with IdleConnections(server, 1):
        output = subprocess.run(
            ["ss", "-tinH", f"( sport = :{server.port} or dport = :{server.port} )"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout  # fmt: skip
        for line in output.splitlines():
            # The details of a socket are on a line of their own, which begins with the algorithm.
            if line.startswith(("\t", " ")) and "rto:" in line:
                names.add(next(w for w in line.split() if w not in ("ts", "sack", "ecn", "ecnseen", "fastopen")))
    if not names:
        raise Failed("ss shows no connection")
    return names
