"""Several gateways of one namespace: a database, a volume that they share, a video whose gateway is lost, and a rolling update
of all of them under load."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from cluster import until
from kubernetes import PATIENCE, SEARCH, get
from manifests import ROOT

DIGITS = ROOT / "Sources" / "framemesh" / "Resources" / "demo" / "digits.mp4"
PICTURE = DIGITS.with_name("numbers-01.jpg")
ROUNDS = 4
# PostgreSQL refuses to run as root.
DATABASE = """
set -e
bin=$1 dir=$2 address=$3 as="setpriv --reuid=65534 --regid=65534 --clear-groups"
mkdir -p "$dir" && chown 65534:65534 "$dir" && cd "$dir"
$as "$bin/initdb" -D "$dir/data" -U framemesh -A trust -E UTF8 --locale=C --no-sync >/dev/null
echo "host all all 0.0.0.0/0 trust" >> "$dir/data/pg_hba.conf"
exec $as "$bin/postgres" -D "$dir/data" -k "$dir" -c listen_addresses="$address" -c fsync=off
"""


def start_database(kubernetes, folder):
    """In a pod of its own. Returns its URL."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda one: float(one.parts[-3]))
    if not programs:
        pytest.skip("there is no PostgreSQL (dev/setup.sh test installs it)")
    net = kubernetes.cluster.pod("database")
    process = net.run("database", ["bash", "-c", DATABASE, "database", str(programs[-1].parent), str(folder), net.address])
    process.wait_for("ready to accept connections", PATIENCE)
    return f"postgres://framemesh@{net.address}/postgres"


def start_ready(kubernetes, *roles):
    pods = [kubernetes.start(role) for role in roles]
    for pod in pods:
        pod.wait_ready()
    return pods


@pytest.mark.parametrize("kubernetes", ["minikube with gateways"], indirect=True)
def test_a_video_of_a_gateway_that_is_lost_is_finished_by_another(kubernetes, tmp_path):
    # Others than this process may come to the folder of tests.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    kubernetes.secrets["gateway-database"] = {"url": start_database(kubernetes, tmp_path / "database")}
    first = start_ready(kubernetes, "detector", "classifier", "coordinator", "gateway")[-1]
    client = kubernetes.cluster.pod("client", search=SEARCH)
    video = tmp_path / "long.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", str(ROUNDS - 1), "-i", str(DIGITS), "-c", "copy", str(video)],
                   check=True)

    made = get(client, f"http://{first.address}:8080/v1/videos?pipeline=cascade", video, kind="video/mp4")
    assert made, first.process.text()[-2000:]
    place = f"v1/videos/{json.loads(made)['id']}"

    def job(pod):
        return json.loads(get(client, f"http://{pod.address}:8080/{place}") or "{}")

    def has_begun():
        return job(first).get("progress", {}).get("frames_done", 0) > 0
    assert until(has_begun, PATIENCE), job(first)
    kubernetes.lose(first)

    second, third = start_ready(kubernetes, "gateway", "gateway")
    before = job(second)
    assert before["state"] == "running", f"longer than the start of a gateway takes: {before}"
    assert until(lambda: job(second)["state"] != "running", 4 * PATIENCE), job(second)["progress"]
    after = job(third)
    total = after["progress"]["frames_done"]
    assert after["state"] == "done" and total > ROUNDS, after
    # Each frame once, whoever did it, and whoever is asked.
    for pod in (second, third):
        lines = (get(client, f"http://{pod.address}:8080/{place}/results?format=jsonl") or "").splitlines()
        sequences = Counter(json.loads(line)["sequence"] for line in lines)
        assert sequences == Counter(range(total)), [one for one in range(total) if sequences[one] != 1][:10]

    # A rolling update: the other one serves on, and no picture that comes meanwhile fails.
    load = client.run("load", [sys.executable, str(Path(__file__).with_name("http_load.py")), "gateway", "8080",
                               "/v1/images:analyze?pipeline=detect", str(PICTURE)])

    def wait_answered(more):
        count = load.text().count("answered") + more
        assert until(lambda: load.text().count("answered") >= count, PATIENCE), load.text()[-2000:]
    wait_answered(4)
    assert kubernetes.delete(second) == [0]
    wait_answered(4)
    assert job(third)["state"] == "done"
    [fourth] = start_ready(kubernetes, "gateway")
    wait_answered(4)
    assert kubernetes.delete(third) == [0]
    wait_answered(4)
    assert job(fourth)["state"] == "done"
    load.send(signal.SIGINT)
    assert load.wait(PATIENCE) == 0
    assert json.loads(load.text().splitlines()[-1])["failures"] == []
