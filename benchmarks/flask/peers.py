"""The servers that are compared: how each is started, and what it is asked in. All get the models, and as many workers as there are
cores; each worker has the threads that are named here."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import load

HERE = Path(__file__).resolve().parent
FRAMEMESH = HERE.parents[1] / ".build/release/framemesh"
PYTHON = HERE / ".venv/bin/python"
START_TIMEOUT = 60
END_TIMEOUT = 20


@dataclass(frozen=True)
class Peer:
    """A server of others."""

    label: str
    start: object
    # Of networks.py.
    engine: str = "opencv"
    # Of each worker's engine; None: as many as there are cores.
    threads: int | None = 1


def openvino():
    """OpenVINO's library, which is the same for all."""
    return next((HERE / ".venv").glob("lib/python3*/site-packages"), HERE) / "openvino"


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
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(END_TIMEOUT)
        # Also what it has left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


@contextlib.contextmanager
def server(label, command, values, port, ready, path, protocol):
    """One that is ready when `ready` is answered with 200."""
    with tempfile.TemporaryFile() as log, process(command, values, stdout=log, stderr=log) as child:
        deadline = time.monotonic() + START_TIMEOUT
        while not is_ready(port, ready):
            if child.poll() is not None or time.monotonic() > deadline:
                log.seek(0)
                raise SystemExit(f"{label} was not ready after {START_TIMEOUT} s, or ended:\n{log.read().decode(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield load.Target(label, port, path, protocol)


def is_ready(port, path):
    connection = load.http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == load.OK
    except (OSError, load.http.client.HTTPException):
        return False
    finally:
        connection.close()


def waitress(label, values, workers):
    port = free_port()
    command = [PYTHON, "-m", "waitress", f"--listen=127.0.0.1:{port}", f"--threads={workers}", "flask_server:app"]
    return server(label, command, values, port, "/healthz", "/analyze", load.Protocol())


def gunicorn(label, values, workers):
    port = free_port()
    command = [PYTHON, "-m", "gunicorn", f"--bind=127.0.0.1:{port}", f"--workers={workers}", "--log-level=error", "flask_server:app"]
    return server(label, command, values, port, "/healthz", "/analyze", load.Protocol())


def litserve(label, values, workers):
    port = free_port()
    command = [PYTHON, HERE / "litserve_server.py", str(port), str(workers)]
    return server(label, command, values, port, "/health", "/predict", load.FormProtocol())


@contextlib.contextmanager
def mlserver(label, values, workers):
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {
            "debug": False, "host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_endpoint": None,
            "parallel_workers": workers, "environments_dir": f"{folder}/environments", "metrics_dir": f"{folder}/metrics",
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        (folder / "model-settings.json").write_text(json.dumps({"name": "analyze", "implementation": "mlserver_runtime.Analyze"}))
        command = [PYTHON.with_name("mlserver"), "start", folder]
        values = values | {"PYTHONPATH": str(HERE)}
        with server(label, command, values, port, "/v2/health/ready", "/v2/models/analyze/infer", load.V2Protocol()) as target:
            yield target


@contextlib.contextmanager
def gateway(values, engine):
    """A mesh of one node that does both, behind its gateway."""
    command = [
        FRAMEMESH, "up", "--coordinator-port", "0", "--gateway-port", "0", "--nodes", "1",
        "--detect-model", values["DETECT_MODEL"], "--classify-model", values["CLASSIFY_MODEL"], "--engine", engine,
    ]
    label = f"gateway, {engine}"
    with tempfile.TemporaryDirectory() as data, tempfile.TemporaryFile() as log:
        values = {"FRAMEMESH_OPENVINO": str(openvino())} | values
        with process([*command, "--gateway-data", data], values, stdout=subprocess.PIPE, stderr=log) as mesh:
            said, deadline = b"", time.monotonic() + START_TIMEOUT
            while not (found := re.search(rb"ready gateway=http://[0-9.]+:([0-9]+)\n", said)):
                output = mesh.stdout.fileno()
                part = os.read(output, 4096) if select.select([output], [], [], max(0, deadline - time.monotonic()))[0] else b""
                if not part:
                    log.seek(0)
                    raise SystemExit(f"{label} did not start; it said {log.read().decode(errors='replace')[-2000:]}")
                said += part
            while not is_ready(int(found[1]), "/readyz"):
                if time.monotonic() > deadline:
                    raise SystemExit(f"{label} is not ready after {START_TIMEOUT} s")
                time.sleep(0.1)
            yield load.Target(label, int(found[1]), "/v1/images:analyze?pipeline=detect%2Bclassify", load.GatewayProtocol())


@contextlib.contextmanager
def started(peer, values, workers):
    values = values | {"ENGINE": peer.engine, "THREADS": str(peer.threads or workers)}
    with peer.start(peer.label, values, workers) as target:
        yield target


PEERS = {
    "waitress": Peer("Flask, waitress, OpenCV", waitress),
    "gunicorn": Peer("Flask, gunicorn, OpenCV", gunicorn),
    # One request at a time is quicker where OpenCV splits each network over the cores.
    "gunicorn-threads": Peer("Flask, gunicorn, OpenCV on all cores", gunicorn, threads=None),
    "gunicorn-onnxruntime": Peer("Flask, gunicorn, ONNX Runtime", gunicorn, "onnxruntime"),
    "gunicorn-openvino": Peer("Flask, gunicorn, OpenVINO f32", gunicorn, "openvino"),
    "gunicorn-openvino-default": Peer("Flask, gunicorn, OpenVINO's default precision", gunicorn, "openvino-default"),
    "litserve": Peer("LitServe, OpenCV", litserve),
    "mlserver": Peer("MLServer, OpenCV", mlserver),
}
DEFAULT_PEERS = ("waitress", "gunicorn", "gunicorn-threads")
