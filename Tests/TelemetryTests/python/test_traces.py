"""Traces of a mesh of processes, as a stock receiver gets them."""

import json
import re
import secrets
import signal
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from programs import DEMO, FRAMEMESH, PATIENCE, until
from receiver import Receiver
from roles import Role, free_port, get

PICTURE = (DEMO / "numbers-01.jpg").read_bytes()
DETECT = "framemesh.v1.Detector/Detect"
ANALYZE = "framemesh.v1.Vision/Analyze"
SERVER, CLIENT = 2, 3
NODE_STAGES = ["receive", "queue", "decode", "preprocess", "infer", "postprocess", "send"]


class TracedMesh:
    """Two detectors, a classifier, a coordinator and a gateway that send their traces to one place."""

    def __init__(self, folder, *arguments, coordinator=(), environment=None):
        self.roles = []

        def start(role, *more, name=""):
            place = folder / f"{role}{name}"
            place.mkdir(parents=True)
            self.roles.append(Role(place, role, *arguments, *more, environment=environment))
            return self.roles[-1]

        try:
            self.detectors = [start("detector", "--workers", "1", name=str(number)) for number in range(2)]
            classifier = start("classifier", "--workers", "1")
            self.coordinator = start(
                "coordinator", "--detectors", "static:///" + ",".join(one.address for one in self.detectors),
                "--classifiers", classifier.address, *coordinator)
            self.gateway = start("gateway", "--coordinator", self.coordinator.address)
            ready = lambda: sum(one["state"] == "ready" for one in self.nodes()) == 3
            until("all nodes are ready", ready)
        except BaseException:
            self.stop()
            raise

    def nodes(self):
        nodes = subprocess.run(
            [FRAMEMESH, "nodes", "--coordinator", self.coordinator.address, "--json"], capture_output=True, text=True)
        return [json.loads(line) for line in nodes.stdout.splitlines()]

    def analyze(self, pipeline="detect", **headers):
        request = urllib.request.Request(
            f"http://{self.gateway.address}/v1/images:analyze?pipeline={pipeline}", data=PICTURE,
            headers={"Content-Type": "image/jpeg", **headers})
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            [answer] = json.load(response)["results"]
            assert answer["status"] == "ok", answer

    def stop(self):
        return [role.stop() for role in reversed(self.roles)]


def begin(flags="01"):
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    return trace, span, f"00-{trace}-{span}-{flags}"


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def mesh(receiver, tmp_path_factory):
    """One in which a second node is asked soon."""
    mesh = TracedMesh(
        tmp_path_factory.mktemp("traced"), "--trace-limit", "interval=50ms", "--log-format", "json",
        "--trace-endpoint", receiver.endpoint,
        coordinator=["--node-limit", "hedge-samples=1", "--node-limit", "hedge-share=1"])
    # How long an answer takes is known after a few.
    for _ in range(4):
        mesh.analyze()
    yield mesh
    assert mesh.stop() == [0] * 5


def only(spans, name, service=None):
    found = [span for span in spans if span.name == name and service in (None, span.service)]
    assert len(found) == 1, f"{name} of {service} in {spans}"
    return found[0]


def test_a_picture_is_one_trace_with_the_right_parents(mesh, receiver):
    trace, caller, parent = begin()
    mesh.analyze("cascade", traceparent=parent, tracestate="shop=1,other=2")
    spans = receiver.whole(trace, {"POST /v1/images:analyze": 1, ANALYZE: 2, DETECT: 2, "send": 3})
    assert {span.state for span in spans} == {"shop=1,other=2"}
    request = only(spans, "POST /v1/images:analyze")
    assert (request.parent, request.service, request.kind) == (caller, "framemesh-gateway", SERVER)
    assert request.attributes["http.route"] == "/v1/images:analyze"
    assert request.attributes["http.response.status_code"] == 200
    call = only(spans, ANALYZE, "framemesh-gateway")
    attempt = only(spans, f"{ANALYZE} attempt")
    served = only(spans, ANALYZE, "framemesh-coordinator")
    assert (call.parent, attempt.parent, served.parent) == (request.id, call.id, attempt.id)
    assert (attempt.kind, served.kind) == (CLIENT, SERVER)
    assert served.attributes["framemesh.pipeline"] == "cascade"
    for method, service in [(DETECT, "detector"), ("framemesh.v1.Classifier/Classify", "classifier")]:
        call = only(spans, method, "framemesh-coordinator")
        won = [span for span in spans if span.name == f"{method} attempt" and span.attributes["rpc.attempt.won"]]
        assert call.parent == served.id and [span.parent for span in won] == [call.id]
        node = only([span for span in spans if span.parent == won[0].id], method, f"framemesh-{service}")
        stages = sorted((span for span in spans if span.parent == node.id), key=lambda span: (span.start, span.end))
        assert [span.name for span in stages] == NODE_STAGES
        assert all(node.start <= span.start <= span.end <= node.end for span in stages)
    stages = [span.name for span in spans if span.parent == served.id and "framemesh.stage" in span.attributes]
    assert sorted(stages) == ["fan_out", "merge", "queue", "receive", "send"]


def picture(mesh, receiver, **headers):
    """The gateway's span of one that is sent now; those of earlier ones may still be on their way."""
    since = time.time_ns()
    mesh.analyze(**headers)

    def begun():
        return [span for span in receiver.spans() if span.start >= since and span.name == "POST /v1/images:analyze"]

    [root] = until("the picture has a trace", begun, patience=60)
    return root


def test_a_trace_begins_where_nobody_has_begun_one(mesh, receiver):
    root = picture(mesh, receiver)
    assert root.parent == ""
    receiver.whole(root.trace, {DETECT: 2, "infer": 1})


def test_who_tells_is_said(mesh, receiver):
    roles = {span.service: span.resource for span in receiver.spans()}
    assert set(roles) == {f"framemesh-{role}" for role in ["detector", "classifier", "coordinator", "gateway"]}
    version = subprocess.run([FRAMEMESH, "--version"], capture_output=True, text=True).stdout.strip()
    assert {resource["service.version"] for resource in roles.values()} == {version}
    instances = {(span.service, span.resource["service.instance.id"]) for span in receiver.spans()}
    assert len({instance for _, instance in instances}) == len(instances) == 5


def test_an_unsampled_caller_gets_no_trace(mesh, receiver):
    unsampled, _, parent = begin("00")
    mesh.analyze("cascade", traceparent=parent)
    sampled, _, parent = begin()
    mesh.analyze("cascade", traceparent=parent)
    receiver.whole(sampled, {"infer": 2, "POST /v1/images:analyze": 1, "merge": 1})
    assert receiver.trace(unsampled) == []


@pytest.mark.parametrize("parent", ["", "00", "ff-" + "1" * 32 + "-" + "2" * 16 + "-01", "00-" + "0" * 32 + "-" + "2" * 16 + "-01", "x" * 4000])
def test_a_hostile_traceparent_is_as_none(mesh, receiver, parent):
    root = picture(mesh, receiver, traceparent=parent, tracestate="=,=" + "y" * 2000)
    assert (root.parent, root.state) == ("", "")
    assert re.fullmatch("[0-9a-f]{32}", root.trace) and root.trace not in parent
    receiver.whole(root.trace, {DETECT: 2, "infer": 1})


def test_a_request_without_a_route_is_called_by_none(mesh, receiver):
    trace, _, parent = begin()
    request = urllib.request.Request(f"http://{mesh.gateway.address}/nothing", data=b"", headers={"traceparent": parent})
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=PATIENCE)
    [span] = receiver.whole(trace, {"HTTP POST": 1})
    assert "http.route" not in span.attributes
    assert span.attributes["http.response.status_code"] == 404


def stop_one(mesh, count=12):
    """Pictures of which some lie at a detector that is stopped: their traces, once all of them are on their way."""
    pool = ThreadPoolExecutor(count)
    traces = [begin() for _ in range(count)]
    mesh.detectors[0].process.send_signal(signal.SIGSTOP)
    return [trace for trace, _, _ in traces], [pool.submit(mesh.analyze, traceparent=parent) for _, _, parent in traces]


def attempts(receiver, traces, kind):
    """Those of the first trace that has one of this kind, in order."""

    def found():
        for trace in traces:
            all_of_it = sorted(
                (span for span in receiver.trace(trace) if span.name == f"{DETECT} attempt"), key=lambda span: span.start)
            if any(span.attributes["rpc.attempt.kind"] == kind for span in all_of_it) and len(all_of_it) >= 2:
                return all_of_it

    return until(f"an attempt is a {kind}", found, patience=60)


def test_a_slow_node_shows_the_hedge(mesh, receiver):
    traces, answers = stop_one(mesh)
    try:
        for answer in answers:
            answer.result(PATIENCE)
        first, hedge = attempts(receiver, traces, "hedge")[:2]
    finally:
        mesh.detectors[0].process.send_signal(signal.SIGCONT)
    assert [span.attributes["rpc.attempt.kind"] for span in (first, hedge)] == ["first", "hedge"]
    assert [span.attributes["rpc.attempt.won"] for span in (first, hedge)] == [False, True]
    assert [span.attributes["rpc.attempt.number"] for span in (first, hedge)] == [1, 2]
    assert first.attributes["server.address"] == mesh.detectors[0].address
    assert hedge.attributes["server.address"] == mesh.detectors[1].address
    assert first.parent == hedge.parent
    until("the node is ready again", lambda: all(node["state"] == "ready" for node in mesh.nodes()))


def test_a_killed_node_shows_the_retry(receiver, tmp_path):
    mesh = TracedMesh(
        tmp_path, "--trace-limit", "interval=50ms", environment={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        coordinator=["--node-limit", "hedge-share=0"])
    try:
        traces, answers = stop_one(mesh)
        # Some lie at the stopped one by now: the others were answered.
        until("some wait", lambda: 0 < sum(not answer.done() for answer in answers) < len(answers))
        time.sleep(0.5)
        mesh.detectors[0].process.kill()
        for answer in answers:
            answer.result(PATIENCE)
        first, retry = attempts(receiver, traces, "retry")[:2]
    finally:
        mesh.detectors[0].process.kill()
        assert mesh.stop()[:3] == [0] * 3
    assert [span.attributes["rpc.attempt.kind"] for span in (first, retry)] == ["first", "retry"]
    assert [span.attributes["rpc.attempt.won"] for span in (first, retry)] == [False, True]
    assert [span.status for span in (first, retry)] == [2, 0]
    assert first.attributes["server.address"] == mesh.detectors[0].address
    assert retry.attributes["server.address"] == mesh.detectors[1].address


def test_frames_of_a_stream_are_traces_of_their_own(mesh, receiver, tmp_path):
    before = {span.trace for span in receiver.spans()}
    video = subprocess.run(
        [FRAMEMESH, "video", "--coordinator", mesh.coordinator.address, "--pipeline", "track", "--json",
         DEMO / "digits.mp4"], capture_output=True, text=True, timeout=PATIENCE)
    assert video.returncode == 0, video.stderr
    frames = len(video.stdout.splitlines())

    def roots():
        found = [span for span in receiver.spans() if span.trace not in before and span.name == "frame"]
        return found if len(found) >= frames else None

    found = until("each frame is a trace", roots, patience=60)
    assert len({span.trace for span in found}) == len(found) == frames
    assert sorted(span.attributes["framemesh.frame"] for span in found) == list(range(frames))
    spans = receiver.whole(found[0].trace, {DETECT: 2, "fan_out": 1, "track": 1, "send": 2})
    assert {span.parent for span in spans if span.name in ["fan_out", "track"]} == {found[0].id}


def test_a_receiver_that_is_down_harms_nothing_and_is_counted(tmp_path):
    mesh = TracedMesh(
        tmp_path, "--trace-endpoint", f"http://127.0.0.1:{free_port()}", "--trace-limit", "queued-spans=4",
        "--trace-limit", "batch-spans=4", "--log-format", "json")
    try:
        for _ in range(4):
            mesh.analyze("cascade")
        for role in mesh.roles:
            if role not in mesh.detectors:
                counted = lambda: 'framemesh_trace_drops_total{reason="queue_full"} 0\n' not in role.text()
                until(f"{role.role} counts what it drops", counted, patience=30)
                assert "framemesh_trace_spans_total 0\n" in role.text()
    finally:
        assert mesh.stop() == [0] * 5
    said = [json.loads(line) for line in mesh.gateway.log.read_text().splitlines()]
    assert any(line["message"] == "traces are not taken" for line in said)


def test_without_an_endpoint_there_is_nothing(tmp_path):
    role = Role(tmp_path, "detector", "--workers", "1", "--trace-ratio", "1")
    try:
        assert "framemesh_trace" not in role.text()
    finally:
        assert role.stop() == 0
