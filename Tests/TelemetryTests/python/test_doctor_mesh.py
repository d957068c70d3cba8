"""`framemesh doctor` at meshes that lack something, seen through a coordinator and a gateway."""

import signal
import time

import pytest

from doctor import doctor, health, wrong
from programs import until
from roles import free_port

PIPELINES = ["detect", "classify", "detect+classify", "cascade", "track", "cascade+track"]


def unoffered(findings):
    return [one for one in findings if (one["check"], one["verdict"]) == ("pipelines", "note")]


def test_a_coordinator_without_nodes(start):
    mesh = start("coordinator")
    gateway = start("gateway", "--coordinator", mesh.address)
    for address, who in [(mesh.address, "the coordinator"), (f"http://{gateway.address}", f"coordinator {mesh.address}")]:
        code, findings = doctor(address)
        assert code == 1
        faults = {one["check"]: one for one in wrong(findings)}
        assert faults["nodes"]["text"] == f"{who} knows no nodes"
        assert "--detectors" in faults["nodes"]["advice"]
        assert set(faults) - {"health"} == {"nodes"}, "what has one cause is told once"
        [pipelines] = unoffered(findings)
        assert pipelines["text"].endswith(": " + ", ".join(PIPELINES))
        assert "framemesh detector" in pipelines["advice"]


@pytest.mark.parametrize("classifiers", [[], ["--classifiers", "none"]])
def test_a_mesh_that_only_detects(start, classifiers):
    detector = start("detector", "--workers", "1")
    mesh = start("coordinator", "--detectors", detector.address, *classifiers)
    until("the node is ready", lambda: health("--ready", mesh.address)[0] == 0)
    gateway = start("gateway", "--coordinator", mesh.address)
    for address in [mesh.address, f"http://{gateway.address}"]:
        code, findings = doctor(address)
        assert (code, wrong(findings)) == (0, [])
        [pipelines] = unoffered(findings)
        assert pipelines["text"].endswith("no nodes for classify: classify, detect+classify, cascade, cascade+track")
        assert "--classifiers" in pipelines["advice"]
        tried = {one["check"]: one["verdict"] for one in findings if one["check"].startswith("pipeline ")}
        assert set(tried) == {"pipeline detect", "pipeline track"} and tried["pipeline detect"] == "ok"


def test_classifiers_that_are_named_and_away_are_wrong(start):
    detector = start("detector", "--workers", "1")
    gone = f"127.0.0.1:{free_port()}"
    mesh = start("coordinator", "--detectors", detector.address, "--classifiers", gone)
    until("the node is ready", lambda: health("--ready", mesh.address)[0] == 0)
    code, findings = doctor(mesh.address)
    assert (code, unoffered(findings)) == (1, [])
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert pipelines["text"].endswith("for classify: classify, detect+classify, cascade, cascade+track")


def test_health_of_a_coordinator_without_nodes(start, mesh):
    empty = start("coordinator").address
    assert health(empty) == (0, f"{empty} SERVING")
    assert health("--ready", empty) == (1, f"{empty} SERVING, and none of its 0 nodes is ready")
    for address in [mesh.coordinator, mesh["detector"].address]:
        assert health("--ready", address) == (0, f"{address} SERVING")


def test_a_node_that_is_not_there(start):
    gone = f"127.0.0.1:{free_port()}"
    # Nobody waits for a node that is known not to be there.
    began = time.monotonic()
    code, findings = doctor(start("coordinator", "--detectors", gone).address, "--timeout", "60")
    assert (code, time.monotonic() - began < 60) == (1, True)
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert "said of the nodes for detect above" in pipelines["advice"] and "classif" not in pipelines["advice"]
    [unnamed] = unoffered(findings)
    assert unnamed["text"].endswith("for classify: classify") and "framemesh classifier" in unnamed["advice"]
    [node] = [one for one in wrong(findings) if one["check"] == "nodes"]
    assert gone in node["text"] and f"framemesh doctor {gone}" in node["advice"]


def test_a_node_of_both_stages_that_is_not_there(start):
    gone = f"127.0.0.1:{free_port()}"
    code, findings = doctor(start("coordinator", "--nodes", gone).address)
    assert code == 1
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert "for detect above" in pipelines["advice"] and "for classify above" in pipelines["advice"]
    assert "Start nodes" not in pipelines["advice"], "they are known, and away"


def test_a_model_that_no_node_has(start):
    detector = start("detector", "--workers", "1")
    address = start("coordinator", "--detectors", detector.address, "--detect-model", "street").address

    def seen():
        return [one for one in wrong(doctor(address)[1]) if one["check"] == "nodes" and "street" in one["text"]]

    [model] = until("the node is ready", seen)
    assert detector.address in model["text"] and "--model street" in model["advice"]


def test_a_gateway_without_a_coordinator(start):
    gone = f"127.0.0.1:{free_port()}"
    gateway = start("gateway", "--coordinator", gone)
    code, findings = doctor(f"http://{gateway.address}")
    assert code == 1
    [finding] = [one for one in wrong(findings) if one["check"] == "health"]
    assert "/readyz: 503" in finding["text"]


def test_a_node_that_is_stopped_is_asked_meanwhile(start):
    detector = start("detector", "--workers", "1")
    # What the coordinator asks by itself finds nothing out meanwhile.
    limits = ["probe-interval=1h", "keepalive-time=1h", "failures-to-eject=1000000"]
    mesh = start("coordinator", "--detectors", detector.address, *[f"--node-limit={limit}" for limit in limits])
    gateway = start("gateway", "--coordinator", mesh.address)
    for address in [mesh.address, f"http://{gateway.address}"]:
        until("the node is ready", lambda: health("--ready", address)[0] == 0)
    detector.process.send_signal(signal.SIGSTOP)
    try:
        code, findings = doctor(mesh.address)
        code_of_gateway, seen_by_gateway = doctor(f"http://{gateway.address}")
    finally:
        detector.process.send_signal(signal.SIGCONT)
    assert (code, code_of_gateway) == (1, 1)
    for found in [findings, seen_by_gateway]:
        [node] = [one for one in wrong(found) if one["check"] == "nodes"]
        assert node["text"].startswith(f"detector {detector.address} is taken for ready, and did not answer within 1.0 s")
        assert "is stopped" in node["advice"]
    # Its pictures would be waited for in vain.
    assert {one["check"] for one in wrong(findings)} == {"nodes", "pipelines"}
    assert not [one for one in findings if one["check"].startswith("pipeline ")]
