"""A real mesh with its gateway, in processes of their own, and a plain client of it."""

import contextlib
import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from programs import FRAMEMESH, PATIENCE, until


class Client:
    """Speaks HTTP to a gateway at `url`."""

    def send(self, method, path, body=None, headers=None):
        """`(status, headers, body)`"""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def get_json(self, path):
        status, _, body = self.send("GET", path)
        assert status == 200, (path, status, body[:500])
        return json.loads(body)


class Mesh(Client):
    """`framemesh up`, with two detectors and a classifier; state in a folder of its own."""

    def __init__(self, folder, *arguments):
        environment = dict(os.environ, XDG_STATE_HOME=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"))
        self.log = (folder / "mesh.log").open("wb")
        command = [FRAMEMESH, "up", "--coordinator-port", "0", "--gateway-port", "0", "--detectors", "2", "--classifiers", "1"]
        self.process = subprocess.Popen(
            [*command, *arguments], env=environment, stdout=subprocess.PIPE, stderr=self.log, start_new_session=True)
        said = self._until_ready(folder)
        self.coordinator = re.search(r"^ready coordinator=(\S+)", said, re.MULTILINE)[1]
        self.url = re.search(r"^ready gateway=(\S+)", said, re.MULTILINE)[1]

    def _until_ready(self, folder):
        """What it says up to the line of the gateway, which is the last one."""
        said, deadline = b"", time.monotonic() + PATIENCE
        while b"ready gateway=" not in said or not said.endswith(b"\n"):
            output = self.process.stdout.fileno()
            part = os.read(output, 4096) if select.select([output], [], [], max(0, deadline - time.monotonic()))[0] else b""
            if not part:
                self.stop()
                raise AssertionError(f"the mesh did not start: {said!r}; {(folder / 'mesh.log').read_text()[-2000:]}")
            said += part
        return said.decode()

    def parts(self, role):
        """Process ids of the parts that play a role."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                words = (stat.parent / "cmdline").read_bytes().split(b"\0")
                if parent == self.process.pid and role.encode() in words[:2]:
                    found.append(int(stat.parent.name))
        return sorted(found)

    def kill(self, role):
        """Without a word, as a machine that loses power. The mesh starts another one."""
        before = self.parts(role)
        os.kill(before[0], signal.SIGKILL)
        until(f"another {role} is there", lambda: before[0] not in self.parts(role) and len(self.parts(role)) == len(before))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.log.close()


class Gateway(Client):
    """One more gateway of a mesh, with options of its own."""

    def __init__(self, mesh, folder, *arguments):
        command = [
            FRAMEMESH, "gateway", "--listen", "127.0.0.1:0", "--coordinator", mesh.coordinator, "--data", folder / "data",
            *arguments]
        said = folder / "said"
        with said.open("wb") as output, (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdout=output, stderr=log)

        def address():
            if self.process.poll() is not None:
                raise AssertionError(f"the gateway ended: {(folder / 'log').read_text()[-2000:]}")
            return re.search(r"ready (\S+)\n", said.read_text())

        self.url = f"http://{until('the gateway is ready', address)[1]}"

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
