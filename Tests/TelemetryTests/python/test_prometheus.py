"""What each role shows, as the real Prometheus reads it. Short: half a minute."""

import re
import subprocess

import pytest

from conftest import PICTURES
from programs import FRAMEMESH, PATIENCE, until
from roles import Role, get

ROLES = ["detector", "classifier", "coordinator", "gateway"]


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """One of both stages, that has answered pictures of a coordinator of its own."""
    folder = tmp_path_factory.mktemp("node")
    node = Role(folder, "node", "--workers", "1")
    coordinator = Role(folder, "coordinator", "--nodes", node.address)
    sent = subprocess.run(
        [FRAMEMESH, "send", "--coordinator", coordinator.address, "--pipeline", "cascade", *PICTURES], capture_output=True,
        text=True, timeout=PATIENCE)
    assert sent.returncode == 0, sent.stderr
    assert coordinator.stop() == 0
    yield node
    assert node.stop() == 0


@pytest.fixture(params=[*ROLES, "node"])
def role(request):
    """A role that has worked."""
    return request.getfixturevalue("node") if request.param == "node" else request.getfixturevalue("mesh")[request.param]


def test_promtool_finds_nothing_to_say(role):
    check = subprocess.run(["promtool", "check", "metrics"], input=role.text(), capture_output=True, text=True)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_each_metric_has_help_and_none_was_left_out(role):
    text = role.text()
    assert set(re.findall(r"^# TYPE (\S+)", text, re.M)) == set(re.findall(r"^# HELP (\S+)", text, re.M))
    assert "\nframemesh_metrics_overflow_total 0\n" in "\n" + text
    assert re.search(rf'^framemesh_build_info{{role="{role.role}",version="[^"]+"}} 1.0$', text, re.M)


def test_a_node_of_both_stages_counts_its_frames_and_their_stages(node):
    lines = set(node.text().splitlines())
    assert f'framemesh_frames_total{{outcome="answered",role="node"}} {len(PICTURES)}.0' in lines
    assert 'framemesh_queue_depth{role="node"} 0.0' in lines
    for stage in ["receive", "queue", "decode", "send"]:
        assert f'framemesh_stage_seconds_count{{role="node",stage="{stage}"}} {len(PICTURES)}' in lines


def test_the_port_has_nothing_else(mesh):
    address = mesh["coordinator"].metrics
    for path in ["/", "/healthz", "/v1/nodes", "/metrics/more"]:
        with pytest.raises(OSError, match="404"):
            get(f"http://{address}{path}")


QUERIES = [
    ('framemesh_frames_total{role="coordinator",outcome="answered"}', len(PICTURES)),
    ('framemesh_frames_total{role="detector",outcome="answered"}', len(PICTURES)),
    ('framemesh_drops_total{role="detector",reason="bad_picture"}', 1),
    ('framemesh_drops_total{role="coordinator",reason="invalid_argument"}', 1),
    ('sum(framemesh_drops_total{role="detector"})', 1),
    ('framemesh_queue_depth{role="detector"}', 0),
    ('framemesh_queue_delay_seconds{role="classifier"}', 0),
    ('framemesh_queue_limit{role="detector"}', 64),
    ('framemesh_endpoints{stage="detect",state="ready"}', 1),
    ('framemesh_endpoints{stage="classify",state="ready"}', 1),
    ('sum(framemesh_ejections_total)', 0),
    ('sum(rpc_client_retries_total{job="coordinator"})', 0),
    ('framemesh_batch_size_count{role="detector"}', len(PICTURES) + 1),
    ('framemesh_stage_seconds_count{role="detector",stage="infer"}', len(PICTURES)),
    ('framemesh_stage_seconds_count{role="classifier",stage="decode"}', len(PICTURES)),
    ('framemesh_stage_seconds_count{role="coordinator",stage="fan_out"}', len(PICTURES) + 1),
    # The picture that is none was received too, and refused.
    ('framemesh_stage_seconds_count{role="detector",stage="receive"}', len(PICTURES) + 1),
    ('framemesh_stage_seconds_count{role="classifier",stage="receive"}', len(PICTURES)),
    ('framemesh_stage_seconds_count{role="coordinator",stage="receive"}', len(PICTURES) + 1),
    ('framemesh_stage_seconds_count{role="classifier",stage="send"}', len(PICTURES)),
    ('framemesh_stage_seconds_sum{role="detector",stage="receive"} > bool 0', 1),
    ('framemesh_stage_seconds_sum{role="detector",stage="send"} > bool 0', 1),
    ('rpc_server_calls_total{job="detector",method="framemesh.v1.Detector/Detect",code="OK"}', len(PICTURES)),
    ('count(framemesh_build_info)', len(ROLES)),
]


@pytest.mark.parametrize("expression,expected", QUERIES, ids=[query for query, _ in QUERIES])
def test_prometheus_answers(prometheus, expression, expected):
    found = []

    def asked():
        found[:] = prometheus(expression)
        return [value for _, value in found] == [expected]

    # A scrape may have come before the last frame was counted.
    try:
        until(expression, asked, patience=30)
    except AssertionError:
        raise AssertionError(f"{expression} is {found}, not {expected}") from None


@pytest.mark.parametrize("role", ROLES)
def test_the_process_is_seen(prometheus, role):
    for name, least in [("resident_memory_bytes", 1 << 20), ("open_fds", 3), ("cpu_seconds_total", 0.001), ("threads", 1)]:
        [(_, value)] = prometheus(f'process_{name}{{job="{role}"}}')
        assert value >= least, name
    [(_, age)] = prometheus(f'time() - process_start_time_seconds{{job="{role}"}}')
    assert -2 <= age <= 3600


def test_a_quantile_of_a_stage_can_be_had(prometheus):
    [(_, value)] = prometheus(
        'histogram_quantile(0.95, sum by (le) (framemesh_stage_seconds_bucket{role="detector",stage="infer"}))')
    assert 0 < value < PATIENCE


def test_the_gateway_has_what_coordinators_cost_it(mesh):
    get(f"http://{mesh['gateway'].address}/healthz")
    assert 'http_requests_total{method="GET",route="/healthz",status="200"}' in mesh["gateway"].text()
