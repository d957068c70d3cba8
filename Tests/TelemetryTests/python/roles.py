"""A mesh of roles that were started one by one, each with a port for its metrics."""

import os
import select
import signal
import socket
import subprocess
import time
import urllib.request

from programs import FRAMEMESH, PATIENCE


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return response.read().decode()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Role:
    """One process; it says where it listens once it serves."""

    def __init__(self, folder, role, *arguments, environment=None):
        self.role = role
        self.log = folder / f"{role}.log"
        self.metrics = "127.0.0.1:%d" % free_port()
        state = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
        self.process = subprocess.Popen(
            [FRAMEMESH, role, "--listen", "127.0.0.1:0", "--metrics-listen", self.metrics, *arguments],
            env={**os.environ, **state, **(environment or {})}, stdout=subprocess.PIPE, stderr=self.log.open("wb"))
        said, deadline = b"", time.monotonic() + PATIENCE
        while b"\nready " not in b"\n" + said or not said.endswith(b"\n"):
            output = self.process.stdout.fileno()
            ready = select.select([output], [], [], max(0, deadline - time.monotonic()))[0]
            part = os.read(output, 4096) if ready else b""
            if not part:
                self.stop()
                raise AssertionError(f"{role} did not start: {said!r}; {self.log.read_text()[-2000:]}")
            said += part
        lines = dict(line.split(" ", 1) for line in said.decode().splitlines())
        self.address = lines["ready"]

    def text(self):
        return get(f"http://{self.metrics}/metrics")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


class Mesh:
    """A detector, a classifier, a coordinator, and a gateway."""

    def __init__(self, folder):
        self.roles = []
        try:
            detector = self._start(folder, "detector", "--workers", "1")
            classifier = self._start(folder, "classifier", "--workers", "1")
            coordinator = self._start(
                folder, "coordinator", "--detectors", detector.address, "--classifiers", classifier.address)
            self._start(folder, "gateway", "--coordinator", coordinator.address)
        except BaseException:
            self.stop()
            raise
        self.coordinator = coordinator.address

    def _start(self, *arguments):
        role = Role(*arguments)
        self.roles.append(role)
        return role

    def __getitem__(self, name):
        return next(role for role in self.roles if role.role == name)

    def send(self, *arguments):
        return subprocess.run(
            [FRAMEMESH, "send", "--coordinator", self.coordinator, *arguments], capture_output=True, text=True,
            timeout=PATIENCE)

    def stop(self):
        return [role.stop() for role in reversed(self.roles)]
