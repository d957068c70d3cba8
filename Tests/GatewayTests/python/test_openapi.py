"""openapi.yaml is true: schemathesis makes requests of it, good and bad, and checks the answers against it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mesh import Gateway
from programs import PATIENCE

HERE = Path(__file__).resolve().parent
# Of what it prints.
LONGEST_LINE = 500
METHODS = {"get", "put", "post", "delete"}
# Each file of the page is a route of its own, and none has a name that was made up.
UNREACHABLE = {("GET", "/page/{file}")}


@pytest.fixture
def gateway(mesh, tmp_path):
    """One whose streams end soon: those that are begun in the test are followed by it, too."""
    gateway = Gateway(mesh, tmp_path, "--limit", "stream-push-idle=1s")
    yield gateway
    gateway.stop()


def described(gateway):
    """`(method, path)` of every operation."""
    paths = yaml.safe_load(gateway.send("GET", "/openapi.yaml")[2])["paths"]
    return {(method.upper(), path) for path, operations in paths.items() for method in METHODS & operations.keys()}


def reached(gateway):
    """How many requests each route of the gateway has answered, as it counts them itself."""
    counts = {}
    text = gateway.send("GET", "/metrics")[2].decode()
    for method, route, count in re.findall(
            r'^http_requests_total\{method="(\w+)",route="([^"]+)",status="\d+"\} (\d+)', text, re.MULTILINE):
        counts[method, route] = counts.get((method, route), 0) + int(count)
    return counts


def test_the_description_is_served_as_it_is_written(mesh):
    status, headers, body = mesh.send("GET", "/openapi.yaml")
    assert status == 200 and headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(body)["openapi"].startswith("3.1")


def test_the_gateway_answers_as_it_is_described(gateway, tmp_path):
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "run",
        f"{gateway.url}/openapi.yaml", "--url", gateway.url, "--no-color",
    ]
    before = reached(gateway)
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE * 5)
    # What it sent may be long; what went wrong with it is not.
    told = [line[:LONGEST_LINE] for line in (run.stdout + run.stderr).splitlines()]
    assert run.returncode == 0, "\n".join(told)
    after = reached(gateway)
    new = {operation: after.get(operation, 0) - before.get(operation, 0) for operation in described(gateway) - UNREACHABLE}
    print("\n".join(f"{count:6} {method} {path}" for (method, path), count in sorted(new.items())))
    assert len(new) > 20
    assert [operation for operation, count in new.items() if count == 0] == []
