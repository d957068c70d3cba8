"""What the numbers were measured on, and with."""

import os
import platform
import re
import subprocess
from pathlib import Path

from running import LOAD_CORE, SERVER_CORE


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip()


def _first_line(*command: str) -> str:
    return (_output(*command).splitlines() or ["unknown"])[0]


def kernel_congestion() -> str:
    return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


def available_congestion() -> list[str]:
    return Path("/proc/sys/net/ipv4/tcp_available_congestion_control").read_text().split()


def _cpu() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match.group(1) if match else platform.processor()


def _debian(package: str) -> str:
    return _output("dpkg-query", "-W", "-f=${Version}", package) or "not installed"


def facts() -> dict[str, str]:
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    return {
        "cpu": f"{_cpu()}, {os.cpu_count()} cores",
        "pinning": f"servers on core {SERVER_CORE}, who calls them on core {LOAD_CORE}",
        "memory": f"{int(memory.group(1)) / (1 << 20):.0f} GiB" if memory else "unknown",
        "kernel": platform.release(),
        "kernel's congestion control": kernel_congestion(),
        "load average at the start": " ".join(f"{value:.1f}" for value in os.getloadavg()),
        "swift": _first_line("swift", "--version"),
        "gRPC C++": _debian("libgrpc++-dev"),
        "grpc-swift-2": "2.4.3, transport 2.9.2",
        "nghttp2 (h2load, nghttpd)": _debian("libnghttp2-dev"),
        "glibc": _debian("libc6"),
        "commit": _first_line("git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
    }
