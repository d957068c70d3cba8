"""Command lines, environment and files are the executable's own: it reads them with `--check-config`, and says where it
would listen, whom it would call, and how long it would drain."""

import shutil
import subprocess

import pytest

import certificates
from manifests import ROLES, ROOT, has_traces, ports
from processes import FRAMEMESH, Volumes, check_config, command

BUNDLED = ROOT / "Sources" / "framemesh" / "Resources" / "models"
HAND_MADE = {
    "gateway-tokens": {"tokens": f"token sha256:{'0' * 64} operator analyze,admin\n"},
    "gateway-database": {"url": "postgres://framemesh:secret@database.example/framemesh"},
}


@pytest.fixture
def secrets(manifests, tmp_path):
    return HAND_MADE | certificates.secrets(manifests, tmp_path / "certificates")


def port(address):
    return int(address.rpartition(":")[2])


@pytest.mark.parametrize("role", ROLES)
def test_a_container_is_what_the_executable_says_that_it_would_run(framemesh, manifests, secrets, tmp_path, role):
    container = manifests.container(role)
    volumes = Volumes(manifests, role, tmp_path, secrets)
    # Its files are not here; test_a_model_is_pulled_by_its_manifest has them.
    has_own_model = "initContainers" in manifests.pod(role)["spec"]
    report = check_config(container, volumes, ["--model=digits-detector"] if has_own_model else [],
                          {"topology.kubernetes.io/zone": "here"})
    assert report["role"] == role

    # It listens at the ports that the container has, and at no others.
    listens = {"http" if role == "gateway" else "grpc": port(report["listen"])}
    if "health_listen" in report:
        listens["health"] = port(report["health_listen"])
    listens["metrics"] = port(report["metrics_listen"])
    assert listens == ports(container)
    for key in ("listen", "health_listen", "metrics_listen"):
        assert report.get(key, "0.0.0.0:").startswith("0.0.0.0:"), "a pod is called by its address"

    # What drains has its time, before which its address has time to go.
    spec = manifests.pod(role)["spec"]
    sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep >= 5
    assert spec["terminationGracePeriodSeconds"] >= sleep + report["drain_seconds"] + 5

    # Whom it calls are Services, by the port that their SRV records name.
    called = {"coordinator": {"detectors": "detector", "classifiers": "classifier"},
              "gateway": {"coordinator": "coordinator"}}.get(role, {})
    for key, service in called.items():
        assert report[key] == f"srv:///_grpc._tcp.{service}"
        assert "grpc" in [one["name"] for one in manifests.named("Service", service)["spec"]["ports"]]

    if role != "gateway":
        assert report["zone"] == "here" and report["cluster"] == "framemesh"
    if role in ("detector", "classifier"):
        assert str(report["workers"]) == container["resources"]["limits"]["cpu"]
    if role == "coordinator":
        assert "numbers" in report["pipelines"], "the file's own pipeline"

    traced = {"trace_endpoint": "otel-collector.monitoring.svc:4317", "trace_ratio": 0.01}
    assert {key: report[key] for key in traced if key in report} == (traced if has_traces(manifests) else {})

    # Probes are in plain text: where the port itself is not, they ask that of health.
    is_secure = bool(manifests.all("Certificate"))
    if role == "gateway":
        assert report["calls_tls"] == is_secure
        assert report["database"] == ("postgresql" if manifests.has_several_gateways else "sqlite")
        assert report["has_tokens"] == (not manifests.name.startswith("minikube"))
        return
    assert report["tls"] == ("mutual" if is_secure else "none")
    probed = {container[probe]["grpc"]["port"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probed == {listens["health" if is_secure else "grpc"]}
    if role == "coordinator":
        assert report["calls_tls"] == is_secure


@pytest.mark.parametrize("change, message", [
    (["--no-such-option"], "no-such-option"), (["--listen=nowhere"], "nowhere"), (["--detectors=srv:///"], "srv"),
    (["--drain-timeout=-1"], "drain-timeout"), (["--limit=max-conections=3"], "max-connections"),
])
def test_what_the_executable_does_not_take_is_found(framemesh, render, tmp_path, change, message):
    volumes = Volumes(render("minikube"), "coordinator", tmp_path)
    words, environment = command(render("minikube").container("coordinator"), volumes)
    done = subprocess.run([FRAMEMESH, *words, *change, "--check-config"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and message in done.stderr


def test_a_wrong_configuration_file_is_found(framemesh, render, tmp_path):
    volumes = Volumes(render("minikube"), "detector", tmp_path)
    words, environment = command(render("minikube").container("detector"), volumes)
    (volumes.folder("config") / "framemesh.yaml").write_text("pipelines:\n  numbers:\n    stagez: [detect]\n")
    done = subprocess.run([FRAMEMESH, *words, "--check-config"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "stages" in done.stderr
    environment["FRAMEMESH_DETECTOR_WORKER"] = "1"
    done = subprocess.run([FRAMEMESH, *words, "--check-config"], env=environment, capture_output=True, text=True)
    assert done.returncode == 2 and "FRAMEMESH_DETECTOR_WORKERS" in done.stderr


def test_a_node_runs_the_model_of_its_manifest_and_no_other_file(framemesh, render, tmp_path):
    """The init containers and the node of components/models, with a bundled model in place of a published one."""
    manifests = render("production with models, monitoring and autoscaling")
    volumes = Volumes(manifests, "detector", tmp_path)
    manifest = (BUNDLED / "digits-detector.yaml").read_text()
    manifest = manifest.replace("name: digits-detector\n", "name: street\n", 1)
    for name in ("digits-detector.onnx", "digits.names"):
        # Nobody listens there.
        manifest = manifest.replace(f"name: {name}", f"name: street-{name}\n    url: https://127.0.0.1:1/{name}")
    (volumes.folder("model-manifests") / "street.yaml").write_text(manifest)
    pull, check = manifests.pod("detector")["spec"]["initContainers"]
    assert (pull["name"], check["name"]) == ("pull-models", "check-models")

    def run(container):
        words, environment = command(container, volumes)
        done = subprocess.run([FRAMEMESH, *words], env=environment, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout + done.stderr
    pulled = volumes.folder("models") / "framemesh" / "models"
    pulled.mkdir(parents=True, exist_ok=True)
    network = (BUNDLED / "digits-detector.onnx").read_bytes()
    shutil.copy(BUNDLED / "digits.names", pulled / "street-digits.names")
    (pulled / "street-digits-detector.onnx").write_bytes(network[:-1] + bytes([network[-1] ^ 1]))
    code, said = run(check)
    assert code == 1 and "sha256" in said, said
    (pulled / "street-digits-detector.onnx").write_bytes(network)
    assert run(pull)[0] == 0, "all of it is here"
    assert run(check)[0] == 0
    assert check_config(manifests.container("detector"), volumes)["models"] == ["street"]
