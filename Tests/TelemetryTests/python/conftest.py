import json
import math
import subprocess
import urllib.parse
from contextlib import contextmanager

import pytest

from programs import DEMO, FRAMEMESH, until
from roles import Mesh, Role, free_port, get

PICTURES = sorted(str(path) for path in DEMO.glob("numbers-0*.jpg"))


@pytest.fixture(scope="session")
def mesh(tmp_path_factory):
    """One that has answered pictures, and refused a file that is none."""
    assert FRAMEMESH.is_file(), f"{FRAMEMESH} is missing: make build"
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    answered = mesh.send("--pipeline", "cascade", *PICTURES)
    assert answered.returncode == 0, answered.stderr
    broken = tmp_path_factory.mktemp("broken") / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    assert mesh.send("--pipeline", "detect", str(broken)).returncode == 1
    yield mesh
    assert mesh.stop() == [0] * 4


@pytest.fixture
def start(tmp_path):
    """Starts roles, which end with the test."""
    roles = []

    def role(*arguments):
        folder = tmp_path / str(len(roles))
        folder.mkdir()
        roles.append(Role(folder, *arguments))
        return roles[-1]

    yield role
    assert [role.stop() for role in reversed(roles)] == [0] * len(roles)


@pytest.fixture(scope="session")
def prometheus(mesh, tmp_path_factory):
    with scraped(mesh, tmp_path_factory.mktemp("prometheus")) as query:
        yield query


@contextmanager
def scraped(mesh, folder):
    """A Prometheus that scrapes all roles every second, with the labels that pods have."""
    jobs = [
        {"job_name": role.role, "static_configs": [
            {"targets": [role.metrics], "labels": {"namespace": "framemesh", "pod": f"{role.role}-0"}}]}
        for role in mesh.roles]
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(
        json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}))
    address = "127.0.0.1:%d" % free_port()
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
         f"--web.listen-address={address}"], stdout=log, stderr=log)

    def query(expression):
        """The value of each series by its labels; of those that have one, which NaN is not."""
        answer = json.loads(get(f"http://{address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})))
        values = [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]
        return [(labels, value) for labels, value in values if not math.isnan(value)]

    def all_up():
        try:
            return sum(value for _, value in query("up")) == len(mesh.roles)
        except OSError:
            assert process.poll() is None, (folder / "log").read_text()[-2000:]

    try:
        until("Prometheus has scraped all roles", all_up)
        yield query
    finally:
        process.terminate()
        process.wait(60)
