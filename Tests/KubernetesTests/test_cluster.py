"""The manifests started: their command lines, environment, ports and names, in network namespaces as pods, found by the
DNS records of their Services."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from cluster import until
from kubernetes import PATIENCE, SEARCH, get
from manifests import ROLES, ROOT, ports
from processes import FRAMEMESH

DEMO = ROOT / "Sources" / "framemesh" / "Resources" / "demo"
PICTURES = [str(DEMO / f"numbers-0{number}.jpg") for number in (1, 2, 3)]
# A pod's own port: a Service's address is not played here.
ANALYZE = "http://gateway:8080/v1/images:analyze?pipeline=cascade"
COORDINATORS = "srv:///_grpc._tcp.coordinator"
# Callers look names up this often, seconds, and a moment.
LOOK_UP = 6
# The largest id: of the first GOAWAY of two.
ANY_STREAM = 2**31 - 1


def start_one_of_each(kubernetes):
    pods = {role: kubernetes.start(role) for role in ROLES}
    for pod in pods.values():
        pod.wait_ready()
    return pods


def wait_found(client, pods, *options):
    """Until the coordinator has these nodes, all ready: what a Deployment's minReadySeconds are for."""
    wanted = {pod.address for pod in pods}

    def are_found():
        text = client.call(str(FRAMEMESH), "nodes", "--coordinator", COORDINATORS, "--json", *options) or ""
        nodes = [json.loads(line) for line in text.splitlines()]
        return wanted <= {one["address"].rpartition(":")[0] for one in nodes if one["state"] == "ready"}
    assert until(are_found, PATIENCE), f"not found: {wanted}"


class HeldConnection:
    """Of a client that calls seldom, to a pod that goes."""

    def __init__(self, net, pod):
        self.process = net.run(f"held-{pod.name}", [
            sys.executable, str(Path(__file__).with_name("held_connection.py")), pod.address,
            str(ports(pod.container)["grpc"])])
        self.process.wait_for("health SERVING", PATIENCE)

    @property
    def said(self):
        return self.process.text().splitlines()


def replace(kubernetes, client, *roles):
    """A rolling update of Deployments of one pod each: a new pod, then the old one goes, in the order that
    docs/kubernetes.md promises. Returns the exit codes."""
    old = [kubernetes.ready(role)[0] for role in roles]
    new = [kubernetes.start(role) for role in roles]
    for pod in new:
        pod.wait_ready()
    if "coordinator" not in roles:
        wait_found(client, new)
    held = [HeldConnection(client, pod) for pod in old]

    # Its record goes while it serves as before, and nobody is sent away.
    kubernetes.withdraw(*old)
    for gone, pod, connection in zip(old, new, held):
        assert until(lambda pod=pod: kubernetes.addresses(pod.net, pod.role) == {pod.address}, PATIENCE), \
            "the old one's record is gone"
        assert gone.passes("readinessProbe")
        assert connection.said == ["health SERVING"]

    # Then it is not ready, says GOAWAY, serves what was on its way, and ends.
    codes = kubernetes.terminate(*old)
    for gone, connection in zip(old, held):
        assert connection.process.wait(PATIENCE) == 0, connection.process.text()[-2000:]
        assert connection.said == ["health SERVING", f"GOAWAY {ANY_STREAM}", "health NOT_SERVING", "GOAWAY 3", "closed"]
    return codes


def replace_behind_a_cache(kubernetes, client, wait_used, *roles):
    """A rolling update where answers of DNS are old: what is new is not known for a while, for which a Deployment has
    minReadySeconds, and what has gone is still named. 30 s with kubeadm's CoreDNS, here as long as each step takes, which is
    longer than preStop. `wait_used`: until the new pods are. Returns the exit codes, and a function that counts answers."""
    old = [kubernetes.ready(role)[0] for role in roles]
    kubernetes.are_names_stale = True
    new = [kubernetes.start(role) for role in roles]
    for pod in new:
        pod.wait_ready()
    kubernetes.refresh_names()
    wait_used(new)
    kubernetes.are_names_stale = True
    codes = kubernetes.delete(*old)
    for gone in old:
        assert gone.address in kubernetes.addresses(client, gone.role), "its name leads to nobody"
    # Longer than the pause between look-ups: each caller is told of those that are gone.
    before = [frames(client, pod) for pod in new]
    time.sleep(LOOK_UP)
    for pod, count in zip(new, before):
        assert until(lambda pod=pod, count=count: frames(client, pod) > count, PATIENCE), f"{pod.name} gets frames"
    kubernetes.refresh_names()
    return codes


def frames(client, pod):
    """That it has answered."""
    text = get(client, f"http://{pod.address}:9464/metrics") or ""
    counted = f'framemesh_frames_total{{outcome="answered",role="{pod.role}"}}'
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(counted))


def health(client, address):
    """What it says of itself, however the command ends."""
    return (client.call("sh", "-c", '"$@"; true', "sh", str(FRAMEMESH), "health", address) or "").strip()


class Load:
    """Frames without a pause, until it is stopped."""

    def __init__(self, net, name, *options):
        self.process = net.run(name, [
            str(FRAMEMESH), "bench", "--coordinator", COORDINATORS, "--pipeline", "cascade", "--duration", "600",
            "--warmup", "0", "--json", "-", *options, "--input", *PICTURES])

    def stop(self):
        self.process.send(signal.SIGINT)
        code = self.process.wait(PATIENCE)
        return code, json.loads(next(line for line in self.process.text().splitlines() if line.startswith("{")))["points"][0]

    def end_well(self):
        """No frame failed."""
        code, report = self.stop()
        assert report["failed"] == 0 and report["partial"] == 0, report
        assert report["ok"] > 0 and code == 130, report


@pytest.mark.parametrize("kubernetes", ["minikube"], indirect=True)
def test_a_mesh_starts_is_rolled_under_load_and_loses_no_frame(kubernetes):
    pods = start_one_of_each(kubernetes)
    client = kubernetes.cluster.pod("client", search=SEARCH)

    wait_found(client, [pods["detector"], pods["classifier"]])
    # A picture through the Service of the gateway, and one to coordinators by their SRV record.
    answer = get(client, ANALYZE, PICTURES[0])
    assert answer and json.loads(answer)["results"][0]["status"] == "ok", answer
    sent = client.call(str(FRAMEMESH), "send", "--json", "--coordinator", COORDINATORS, "--pipeline", "numbers",
                       PICTURES[0])
    assert sent and json.loads(sent)["status"] == "ok", sent

    # What Prometheus would read, by the pods' addresses.
    for role, pod in pods.items():
        text = get(client, f"http://{pod.address}:9464/metrics")
        assert text is not None, role
        if role in ("detector", "classifier"):
            for name in ("queue_depth", "queue_delay_seconds", "busy_ratio"):
                assert f'framemesh_{name}{{role="{role}"}}' in text

    # Every Deployment but the gateway's is rolled, while frames come as single calls and as streams.
    loads = [Load(client, "unary", "--concurrency", "2"), Load(client, "stream", "--stream", "--concurrency", "1")]
    codes = replace(kubernetes, client, "detector", "classifier")
    codes += replace(kubernetes, client, "coordinator")
    # Those that are left do the work.
    for role, method in (("detector", "Detector/Detect"), ("classifier", "Classifier/Classify")):
        counted = f'rpc_server_calls_total{{code="OK",method="framemesh.v1.{method}"}}'

        def has_answered(address=kubernetes.ready(role)[0].address, counted=counted):
            text = get(client, f"http://{address}:9464/metrics") or ""
            return any(float(line.split()[-1]) > 0 for line in text.splitlines() if line.startswith(counted))
        assert until(has_answered, PATIENCE), role
    assert codes == [0, 0, 0]
    for load in loads:
        load.end_well()

    # The gateway found the new coordinator, and ends well too.
    def is_answered():
        return get(client, ANALYZE, PICTURES[0]) is not None
    assert until(is_answered, PATIENCE)
    assert kubernetes.delete(*kubernetes.ready("gateway")) == [0]


@pytest.mark.parametrize("kubernetes", ["production with mtls and cert-manager"], indirect=True)
def test_a_mesh_with_mutual_tls_serves_whom_it_knows(kubernetes):
    pods = start_one_of_each(kubernetes)
    client = kubernetes.cluster.pod("client", search=SEARCH)
    folder = kubernetes.folder / pods["gateway"].name / "gateway" / "tls"
    known = ["--tls-ca", str(folder / "ca.crt"), "--tls-certificate", str(folder / "tls.crt"),
             "--tls-key", str(folder / "tls.key")]

    wait_found(client, [pods["detector"], pods["classifier"]], *known)

    def send(*options):
        return client.call(str(FRAMEMESH), "send", "--json", "--coordinator", COORDINATORS, "--pipeline", "cascade",
                           "--limit", "resume-timeout=3", *options, PICTURES[0])
    sent = send(*known)
    assert sent and json.loads(sent)["status"] == "ok", sent
    assert send() is None, "in plain text"
    assert send("--tls-ca", str(folder / "ca.crt")) is None, "without a certificate"

    # The health of a node is asked for in plain text, at a port that has nothing else.
    node = pods["detector"]
    assert client.call(str(FRAMEMESH), "health", f"{node.address}:8590") is not None
    assert client.call(str(FRAMEMESH), "health", f"{node.address}:8501") is None
    assert client.call(str(FRAMEMESH), "pipelines", "--coordinator", f"{pods['coordinator'].address}:8590") is None

    # Rolled under load like the other set, and with names that are old.
    loads = [Load(client, "unary", "--concurrency", "1", *known),
             Load(client, "stream", "--stream", "--concurrency", "1", *known)]
    codes = replace_behind_a_cache(kubernetes, client, lambda new: wait_found(client, new, *known), "detector", "classifier")

    def wait_called(new):
        assert until(lambda: all(frames(client, pod) > 0 for pod in new), PATIENCE), "callers have found it"
    codes += replace_behind_a_cache(kubernetes, client, wait_called, "coordinator")
    assert codes == [0, 0, 0]
    for load in loads:
        load.end_well()

    # While a frame is on its way, that port says that its pod drains.
    coordinator, detector = kubernetes.ready("coordinator")[0], kubernetes.ready("detector")[0]
    detector.process.send(signal.SIGSTOP)
    held = client.run("held", [str(FRAMEMESH), "send", "--json", "--coordinator", COORDINATORS, "--pipeline", "detect",
                               *known, PICTURES[0]])

    def is_held():
        text = client.call(str(FRAMEMESH), "nodes", "--coordinator", COORDINATORS, "--json", *known) or ""
        return any(json.loads(line).get("outstanding", 0) > 0 for line in text.splitlines())
    assert until(is_held, PATIENCE), held.text()
    coordinator.process.send(signal.SIGTERM)
    drains = f"{coordinator.address}:8590 NOT_SERVING"
    assert until(lambda: health(client, f"{coordinator.address}:8590") == drains, PATIENCE)
    assert coordinator.process.is_running()
    detector.process.send(signal.SIGCONT)
    assert held.wait(PATIENCE) == 0 and json.loads(held.text())["status"] == "ok", held.text()
    assert coordinator.process.wait(PATIENCE) == 0
