"""`framemesh doctor` at roles that are well, and at what can be wrong on the way to them: names, ports, protocols, TLS."""

import http.server
import itertools
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import PICTURES
from doctor import doctor, only_wrong, wrong
from programs import FRAMEMESH, PATIENCE
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


def test_a_role_that_is_stopped(start):
    stopped = start("detector", "--workers", "1")
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
