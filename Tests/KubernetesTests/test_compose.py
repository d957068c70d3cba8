"""compose.yaml: the executable takes its command lines, and its parts find each other by their names."""

import json
import subprocess

import pytest
import yaml

from manifests import ROLES, ROOT
from processes import ENVIRONMENT, FRAMEMESH

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def seconds(text):
    assert text.endswith("s")
    return int(text[:-1])


def report(role):
    done = subprocess.run([FRAMEMESH, *SERVICES[role]["command"], "--check-config"], env=ENVIRONMENT, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
        assert f"gateway-data:{said['data']}" in service["volumes"]


@pytest.mark.parametrize("role", ROLES)
def test_a_container_may_do_no_more_than_it_must(role):
    service = SERVICES[role]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert not service["user"].startswith("0") and "no-new-privileges:true" in service["security_opt"]
    assert "mem_limit" in service


def test_prometheus_reads_every_role(framemesh):
    scraped = yaml.safe_load((ROOT / "compose" / "prometheus.yml").read_text())["scrape_configs"][0]["dns_sd_configs"][0]
    assert set(scraped["names"]) == set(ROLES)
    for role in ROLES:
        assert report(role)["metrics_listen"] == f"0.0.0.0:{scraped['port']}"


def test_what_is_mounted_is_there():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"], volume


def test_only_this_machine_reaches_it():
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), port
