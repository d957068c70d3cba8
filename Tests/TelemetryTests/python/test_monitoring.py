"""The dashboard and the alerts against a mesh that runs. Short, with test_prometheus.py."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from programs import ROOT, until
from roles import get

MONITORING = ROOT / "k8s/monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
PANELS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def test_promtool_takes_the_alerts():
    subprocess.run(["promtool", "check", "rules", MONITORING / "alerts.yaml"], check=True, capture_output=True)


def test_each_alert_fires_when_it_should_and_only_then():
    tests = Path(__file__).with_name("alerts_test.yaml")
    run = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    # One that nobody wrote a test for would never fire there.
    alerts = re.findall(r"- alert: (\w+)", (MONITORING / "alerts.yaml").read_text())
    assert f"value: {len(alerts)}}}" in tests.read_text()


def test_the_alerts_name_metrics_that_there_are(mesh):
    # What a gateway counts by route begins with the first request.
    get(f"http://{mesh['gateway'].address}/healthz")
    names = set(re.findall(r"\b(?:framemesh|process|rpc|http)_[a-z_]+", (MONITORING / "alerts.yaml").read_text()))
    shown = "".join(role.text() for role in mesh.roles)
    assert names and [name for name in sorted(names) if f"\n# TYPE {name} " not in shown] == []


@pytest.mark.parametrize("title,expression", PANELS, ids=[f"{title}-{index}" for index, (title, _) in enumerate(PANELS)])
def test_each_panel_has_data(mesh, prometheus, title, expression):
    get(f"http://{mesh['gateway'].address}/healthz")
    until(f"{title}: {expression}", lambda: prometheus(expression.replace("$__rate_interval", "1m")), patience=30)


def test_panels_lie_side_by_side():
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [(x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
