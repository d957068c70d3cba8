"""The dashboard, the alerts, and what autoscalers ask for, against a mesh that runs. Short, with test_prometheus.py."""

import json
import re
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest
import yaml

from conftest import PICTURES, scraped
from programs import PATIENCE, ROOT, until
from roles import Mesh, get

MONITORING = ROOT / "k8s/monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
PANELS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]
# What a mesh that works shows more of than nothing, beside times.
MOVING = {
    "Frames a second", "Nodes that are ready", "Versions", "Frames by outcome", "Mean time of each stage", "Busy workers",
    "Batch size", "Endpoints by state", "Cost of a frame", "Calls by method", "HTTP by route and status", "Memory", "Processors",
    "File descriptors", "Up for"}
COMPONENTS = ROOT / "k8s/components"
NODES = ["detector", "classifier"]


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """Asks for a panel's data, of a mesh that is at work all the while: what was over before it was first looked at has no
    rate."""
    mesh = Mesh(tmp_path_factory.mktemp("busy"))
    picture = Path(PICTURES[0]).read_bytes()
    failures, is_over = [], threading.Event()

    def work():
        while not is_over.wait(0.1):
            request = urllib.request.Request(
                f"http://{mesh['gateway'].address}/v1/images:analyze?pipeline=cascade", data=picture,
                headers={"Content-Type": "image/jpeg"})
            try:
                urllib.request.urlopen(request, timeout=PATIENCE).read()
            except OSError as error:
                failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        with scraped(mesh, tmp_path_factory.mktemp("busy-prometheus")) as query:
            yield lambda expression: query(expression.replace("$__rate_interval", "1m"))
    finally:
        is_over.set()
        worker.join()
        codes = mesh.stop()
    assert (codes, failures) == ([0] * 4, [])


def test_promtool_takes_the_alerts():
    subprocess.run(["promtool", "check", "rules", MONITORING / "alerts.yaml"], check=True, capture_output=True)


def test_each_alert_fires_when_it_should_and_only_then():
    tests = Path(__file__).with_name("alerts_test.yaml")
    run = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    # One that nobody wrote a test for would never fire there.
    alerts = re.findall(r"- alert: (\w+)", (MONITORING / "alerts.yaml").read_text())
    assert re.findall(r'alertname="(\w+)"', tests.read_text()) == sorted(alerts)


def test_the_alerts_name_metrics_that_there_are(mesh):
    # What a gateway counts by route begins with the first request.
    get(f"http://{mesh['gateway'].address}/healthz")
    names = set(re.findall(r"\b(?:framemesh|process|rpc|http)_[a-z_]+", (MONITORING / "alerts.yaml").read_text()))
    shown = "".join(role.text() for role in mesh.roles)
    assert names and [name for name in sorted(names) if f"\n# TYPE {name} " not in shown] == []


@pytest.mark.parametrize("title,expression", PANELS, ids=[f"{title}-{index}" for index, (title, _) in enumerate(PANELS)])
def test_each_panel_has_data(panel, title, expression):
    moves = title in MOVING or "histogram_quantile" in expression

    def has_data():
        values = [value for _, value in panel(expression)]
        return max(values, default=0) > 0 if moves else values
    until(f"{title}: {expression}", has_data)


def autoscaler(component, role):
    return yaml.safe_load((COMPONENTS / component / f"{role}.yaml").read_text())["spec"]


@pytest.mark.parametrize("role", NODES)
def test_an_autoscaler_of_custom_metrics_finds_its_own(prometheus, role):
    [rule] = yaml.safe_load((COMPONENTS / "autoscaling/prometheus-adapter.yaml").read_text())["rules"]["custom"]
    [wanted] = autoscaler("autoscaling", role)["metrics"]
    assert wanted["pods"]["metric"]["name"] == rule["name"]["as"]
    # What the adapter does: it looks for series, and asks for those of the pods.
    pods = {one["pod"] for one, _ in prometheus(rule["seriesQuery"])}
    assert pods == {f"{node}-0" for node in NODES}
    series = rule["seriesQuery"].partition("{")[0]
    matchers = ",".join([f'{label}=~"{value}"' for label, value in [("namespace", "framemesh"), ("pod", f"{role}-0")]])
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}
    query = rule["metricsQuery"].replace("<<.Series>>", series).replace("<<.LabelMatchers>>", matchers)
    [(labels, value)] = prometheus(query)
    assert (labels["pod"], value) == (f"{role}-0", 0)


@pytest.mark.parametrize("role", NODES)
def test_keda_finds_what_it_asks_for(prometheus, role):
    [trigger] = autoscaler("keda", role)["triggers"]
    query, _, otherwise = trigger["metadata"]["query"].partition(" or ")
    assert otherwise == "vector(0)"
    # Without what it has in any case.
    assert [value for _, value in prometheus(query)] == [0]
    assert prometheus(query.replace(f'"{role}"', '"nobody"')) == []


def test_panels_lie_side_by_side():
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [(x, y) for place in places for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
