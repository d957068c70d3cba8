"""openapi.yaml is true: schemathesis makes requests of it, good and bad, and checks the answers against it."""

import subprocess
import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
# For all of it.
SECONDS = 60
# Of what it prints.
LONGEST_LINE = 500


def test_the_description_is_served_as_it_is_written(mesh):
    status, headers, body = mesh.send("GET", "/openapi.yaml")
    assert status == 200 and headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(body)["openapi"].startswith("3.1")


def test_the_gateway_answers_as_it_is_described(mesh, tmp_path):
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml", "run", f"{mesh.url}/openapi.yaml",
        "--url", mesh.url, "--max-time", str(SECONDS), "--no-color",
    ]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS * 20)
    # What it sent may be long; what went wrong with it is not.
    told = [line[:LONGEST_LINE] for line in (run.stdout + run.stderr).splitlines()]
    assert run.returncode == 0, "\n".join(told)
