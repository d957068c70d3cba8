"""`framemesh doctor` at meshes that are well, and at what can be wrong with them."""

import http.server
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import PICTURES
from programs import FRAMEMESH, PATIENCE, until
from roles import Mesh, Role, free_port


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    """One of its own: the doctor's pictures are counted, and others count theirs."""
    mesh = Mesh(tmp_path_factory.mktemp("mesh"))
    # Answered when all nodes are ready.
    answered = mesh.send("--pipeline", "cascade", PICTURES[0])
    assert answered.returncode == 0, answered.stderr
    yield mesh
    assert mesh.stop() == [0] * 4


def doctor(address, *options):
    """Its exit code, and what it has found: verdict, text and advice by check."""
    done = subprocess.run(
        [FRAMEMESH, "doctor", "--json", *options, address], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stderr == "", done.stderr
    report = json.loads(done.stdout)
    assert report["address"] == address
    assert report["well"] == (done.returncode == 0)
    return done.returncode, report["findings"]


def wrong(findings):
    return [one for one in findings if one["verdict"] == "wrong"]


def only_wrong(address, *options):
    """The one thing that is wrong: what was looked at, what is said, what to do."""
    code, findings = doctor(address, *options)
    assert code == 1
    [finding] = wrong(findings)
    return finding["check"], finding["text"], finding["advice"]


# ---- what is well ----

PIPELINES = ["detect", "classify", "detect+classify", "cascade", "track", "cascade+track"]


def test_a_mesh_that_is_well(mesh):
    code, findings = doctor(mesh.coordinator)
    assert code == 0
    checks = [one["check"] for one in findings]
    assert checks == [
        "tcp", "grpc", "health", "round trip", "version", "clock", "nodes", "nodes", *[f"pipeline {name}" for name in PIPELINES]]
    assert {one["verdict"] for one in findings} == {"ok"}


def test_a_node_that_is_well(mesh):
    code, findings = doctor(mesh["classifier"].address)
    assert code == 0
    assert [one["check"] for one in findings][-2:] == ["node", "model digits-classifier"]


def test_a_gateway_that_is_well(mesh):
    code, findings = doctor(f"http://{mesh['gateway'].address}")
    assert code == 0, wrong(findings)
    verdicts = {one["check"]: one["verdict"] for one in findings}
    assert [verdicts[f"pipeline {name}"] for name in PIPELINES] == ["ok"] * 4 + ["note"] * 2
    assert verdicts["nodes"] == verdicts["clock"] == verdicts["version"] == verdicts["round trip"] == "ok"


def test_people_read_lines(mesh):
    done = subprocess.run([FRAMEMESH, "doctor", mesh.coordinator], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    # One column, the longest name of a pipeline included.
    column = lines[0].index("127.0.0.1")
    assert all(line[column - 1] == " " and line[column] != " " for line in lines), done.stdout


# ---- the way there ----

def test_nobody_listens():
    check, text, _ = only_wrong(f"127.0.0.1:{free_port()}")
    assert (check, "nothing listens there" in text) == ("tcp", True)


def test_the_name_is_not_known():
    check, text, advice = only_wrong("no-such-host.invalid:8500")
    assert (check, "no-such-host.invalid is not known" in text) == ("name", True)
    assert "dig" in advice


@pytest.mark.parametrize("arguments", [["nonsense"], ["ftp://host:1"], ["127.0.0.1:1", "--timeout", "0"], ["--tls-ca", "/no/file", "127.0.0.1:1"],
    ["--tls", "http://127.0.0.1:1"], ["--tls-server-name", "a", "http://127.0.0.1:1"], ["--no-tls", "https://127.0.0.1:1"]])
def test_wrong_usage(arguments):
    done = subprocess.run([FRAMEMESH, "doctor", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr


def test_without_an_address_it_is_the_usual_coordinator(mesh):
    environment = {**os.environ, "FRAMEMESH_COORDINATOR": mesh.coordinator}
    done = subprocess.run([FRAMEMESH, "doctor"], capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"{mesh.coordinator} takes connections" in done.stdout


# ---- the protocol ----

@pytest.fixture
def web():
    """Speaks HTTP/1, and nothing else."""

    class Page(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_a_port_that_speaks_http_1(web):
    check, text, advice = only_wrong(web)
    assert (check, text) == ("grpc", "it speaks HTTP/1, not gRPC")
    assert f"http://{web}" in advice


def test_a_web_server_is_no_gateway(web):
    check, text, _ = only_wrong(f"http://{web}")
    assert (check, "no gateway of Framemesh" in text) == ("http", True)


@pytest.mark.parametrize("answer,text,advice", [
    (503, "a request was answered with 503", "look at its log"), (None, "a request was not answered", "loses packets")])
def test_a_gateway_that_answers_now_and_then(answer, text, advice):
    """Once it is well, then every other time."""
    counts = itertools.count()

    class Gateway(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            is_health = self.path == "/healthz"
            is_well = not is_health or next(counts) % 2 == 0
            if not is_well and answer is None:
                self.connection.close()
                return
            body = b'{"status": "ok"}'
            self.send_response((200 if is_health else 404) if is_well else answer)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        code, findings = doctor(f"http://127.0.0.1:{server.server_address[1]}")
    finally:
        server.shutdown()
    [trip] = [one for one in findings if one["check"] == "round trip"]
    assert (code, trip["verdict"]) == (1, "wrong")
    assert text in trip["text"] and advice in trip["advice"]


def test_a_gateway_asked_by_grpc_and_a_coordinator_by_http(mesh):
    check, text, advice = only_wrong(mesh["gateway"].address)
    assert (check, f"http://{mesh['gateway'].address}" in advice) == ("grpc", True), text
    check, text, advice = only_wrong(f"http://{mesh.coordinator}")
    assert (check, "without http://" in advice) == ("http", True), text


def test_a_port_that_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        check, text, _ = only_wrong(f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
        assert (check, "does not answer within 1.0 s: it may hang" in text) == ("grpc", True), text
        check, text, _ = only_wrong(f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1", "--tls")
        assert (check, "may hang" in text) == ("tls", True), text
        check, text, _ = only_wrong(f"http://127.0.0.1:{silent.getsockname()[1]}", "--timeout", "1")
        assert (check, "may hang" in text) == ("http", True), text


def test_a_role_that_is_stopped(coordinator):
    stopped = coordinator("detector", "--workers", "1")
    stopped.process.send_signal(signal.SIGSTOP)
    try:
        check, text, advice = only_wrong(stopped.address, "--timeout", "1")
        assert (check, "may hang" in text, "is it stopped" in advice) == ("grpc", True, True), text
    finally:
        stopped.process.send_signal(signal.SIGCONT)


def test_a_gateway_asked_by_tls_that_has_none(mesh):
    check, text, advice = only_wrong(f"https://{mesh['gateway'].address}")
    assert (check, text) == ("tls", "it speaks plain HTTP, without TLS")
    assert advice == f"Ask http://{mesh['gateway'].address}"
    check, text, advice = only_wrong(f"https://{mesh.coordinator}")
    assert (check, "without https://" in advice) == ("tls", True), text


# ---- TLS ----

@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ["ca", "other"]:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.crt", "-subj", f"/CN={name} authority", "-days", "2")
    (folder / "names").write_text("subjectAltName=DNS:mesh.example,IP:127.0.0.1\n")
    (folder / "elsewhere").write_text("subjectAltName=DNS:elsewhere.example\n")
    for name, days, extension in [("good", "1", "names"), ("expired", "0", "names"), ("named", "1", "elsewhere")]:
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", extension, "-out", f"{name}.crt")
    # Until the one of no days is over.
    time.sleep(2)
    return folder


@pytest.fixture(scope="module")
def secured(certificates, tmp_path_factory):
    """Detectors with certificates, by name."""
    roles = {}
    for name in ["good", "expired", "named"]:
        roles[name] = Role(
            tmp_path_factory.mktemp(name), "detector", "--workers", "1", "--tls-certificate", str(certificates / f"{name}.crt"),
            "--tls-key", str(certificates / f"{name}.key"))
    yield {name: role.address for name, role in roles.items()}
    assert [role.stop() for role in roles.values()] == [0] * 3


def test_tls_that_is_well(secured, certificates):
    code, findings = doctor(secured["good"], "--tls-ca", str(certificates / "ca.crt"))
    assert code == 0
    [tls] = [one["text"] for one in findings if one["check"] == "tls"]
    assert "mesh.example, 127.0.0.1" in tls and "ca authority" in tls


def test_tls_asked_in_plain_text(secured):
    check, text, advice = only_wrong(secured["good"])
    assert (check, "it speaks TLS" in text, "--tls" in advice) == ("grpc", True, True)


def test_plain_text_asked_by_tls(mesh):
    check, text, advice = only_wrong(mesh.coordinator, "--tls")
    assert (check, "does not speak TLS" in text, "Leave out --tls" in advice) == ("tls", True, True)


def test_another_authority(secured, certificates):
    check, text, advice = only_wrong(secured["good"], "--tls-ca", str(certificates / "other.crt"))
    assert (check, "authority" in text) == ("tls", True)
    assert "ca authority" in advice and "--tls-ca" in advice


def test_an_expired_certificate(secured, certificates):
    check, text, advice = only_wrong(secured["expired"], "--tls-ca", str(certificates / "ca.crt"))
    assert (check, "has expired" in text, "renew" in advice) == ("tls", True, True)


def test_a_certificate_for_another_name(secured, certificates):
    check, text, advice = only_wrong(secured["named"], "--tls-ca", str(certificates / "ca.crt"))
    assert (check, "elsewhere.example" in advice) == ("tls", True), text
    code, _ = doctor(secured["named"], "--tls-ca", str(certificates / "ca.crt"), "--tls-server-name", "elsewhere.example")
    assert code == 0


# ---- the mesh ----

@pytest.fixture
def coordinator(tmp_path):
    roles = []

    def start(*arguments):
        folder = tmp_path / str(len(roles))
        folder.mkdir()
        roles.append(Role(folder, *arguments))
        return roles[-1]

    yield start
    assert [role.stop() for role in reversed(roles)] == [0] * len(roles)


def test_a_coordinator_without_nodes(coordinator):
    mesh = coordinator("coordinator")
    gateway = coordinator("gateway", "--coordinator", mesh.address)
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


def unoffered(findings):
    return [one for one in findings if (one["check"], one["verdict"]) == ("pipelines", "note")]


@pytest.mark.parametrize("classifiers", [[], ["--classifiers", "none"]])
def test_a_mesh_that_only_detects(coordinator, classifiers):
    detector = coordinator("detector", "--workers", "1")
    mesh = coordinator("coordinator", "--detectors", detector.address, *classifiers)
    until("the node is ready", lambda: health("--ready", mesh.address)[0] == 0)
    gateway = coordinator("gateway", "--coordinator", mesh.address)
    for address in [mesh.address, f"http://{gateway.address}"]:
        code, findings = doctor(address)
        assert (code, wrong(findings)) == (0, [])
        [pipelines] = unoffered(findings)
        assert pipelines["text"].endswith("no nodes for classify: classify, detect+classify, cascade, cascade+track")
        assert "--classifiers" in pipelines["advice"]
        tried = {one["check"]: one["verdict"] for one in findings if one["check"].startswith("pipeline ")}
        assert set(tried) == {"pipeline detect", "pipeline track"} and tried["pipeline detect"] == "ok"


def test_classifiers_that_are_named_and_away_are_wrong(coordinator):
    detector = coordinator("detector", "--workers", "1")
    gone = f"127.0.0.1:{free_port()}"
    mesh = coordinator("coordinator", "--detectors", detector.address, "--classifiers", gone)
    until("the node is ready", lambda: health("--ready", mesh.address)[0] == 0)
    code, findings = doctor(mesh.address)
    assert (code, unoffered(findings)) == (1, [])
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert pipelines["text"].endswith("for classify: classify, detect+classify, cascade, cascade+track")


def health(*arguments):
    done = subprocess.run([FRAMEMESH, "health", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout.strip()


def test_health_of_a_coordinator_without_nodes(coordinator, mesh):
    empty = coordinator("coordinator").address
    assert health(empty) == (0, f"{empty} SERVING")
    assert health("--ready", empty) == (1, f"{empty} SERVING, and none of its 0 nodes is ready")
    for address in [mesh.coordinator, mesh["detector"].address]:
        assert health("--ready", address) == (0, f"{address} SERVING")


def test_a_node_that_is_not_there(coordinator):
    gone = f"127.0.0.1:{free_port()}"
    # Nobody waits for a node that is known not to be there.
    start = time.monotonic()
    code, findings = doctor(coordinator("coordinator", "--detectors", gone).address, "--timeout", "60")
    assert (code, time.monotonic() - start < 60) == (1, True)
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert "said of the nodes for detect above" in pipelines["advice"] and "classif" not in pipelines["advice"]
    [unnamed] = unoffered(findings)
    assert unnamed["text"].endswith("for classify: classify") and "framemesh classifier" in unnamed["advice"]
    [node] = [one for one in wrong(findings) if one["check"] == "nodes"]
    assert gone in node["text"] and f"framemesh doctor {gone}" in node["advice"]


def test_a_node_of_both_stages_that_is_not_there(coordinator):
    gone = f"127.0.0.1:{free_port()}"
    code, findings = doctor(coordinator("coordinator", "--nodes", gone).address)
    assert code == 1
    [pipelines] = [one for one in wrong(findings) if one["check"].startswith("pipeline")]
    assert "for detect above" in pipelines["advice"] and "for classify above" in pipelines["advice"]
    assert "Start nodes" not in pipelines["advice"], "they are known, and away"


def test_a_model_that_no_node_has(coordinator):
    detector = coordinator("detector", "--workers", "1")
    address = coordinator("coordinator", "--detectors", detector.address, "--detect-model", "street").address

    def seen():
        return [one for one in wrong(doctor(address)[1]) if one["check"] == "nodes" and "street" in one["text"]]

    [model] = until("the node is ready", seen)
    assert detector.address in model["text"] and "--model street" in model["advice"]


def test_a_gateway_without_a_coordinator(coordinator):
    gone = f"127.0.0.1:{free_port()}"
    gateway = coordinator("gateway", "--coordinator", gone)
    code, findings = doctor(f"http://{gateway.address}")
    assert code == 1
    [health] = [one for one in wrong(findings) if one["check"] == "health"]
    assert "/readyz: 503" in health["text"]
