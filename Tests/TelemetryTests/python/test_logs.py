"""The log of roles, as text and as JSON."""

import json
import re
import signal
import subprocess

import pytest

from programs import FRAMEMESH, until
from roles import Role


def lines(role):
    return [json.loads(line) for line in role.log.read_text().splitlines()]


@pytest.fixture
def pair(tmp_path):
    """A detector, and a coordinator that knows it."""
    roles = []

    def start(*arguments):
        folder = tmp_path / arguments[0]
        folder.mkdir()
        roles.append(Role(folder, *arguments))
        return roles[-1]

    def begin(*options):
        detector = start("detector", "--workers", "1", *options)
        return detector, start("coordinator", "--detectors", detector.address, *options)

    yield begin
    assert [role.stop() for role in reversed(roles)] == [0] * len(roles)


def fail(coordinator, tmp_path, count=1, *options):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    send = subprocess.run(
        [FRAMEMESH, "send", "--coordinator", coordinator.address, "--pipeline", "detect", *options, *[str(broken)] * count],
        capture_output=True, text=True)
    assert send.returncode == 1, send.stderr


def test_json_has_the_frame_and_the_cause(pair, tmp_path):
    detector, coordinator = pair("--log-format", "json")
    fail(coordinator, tmp_path)
    for role in (detector, coordinator):
        failed = until(f"{role.role} says it", lambda: [one for one in lines(role) if one["message"] == "call failed"])
        [line] = failed
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert (line["level"], line["label"]) == ("info", f"framemesh.{role.role}")
        assert line["metadata"]["code"] == "INVALID_ARGUMENT"
        assert line["metadata"]["frame"] == "0"
    assert lines(coordinator)[-1]["metadata"]["node"] == detector.address


def test_what_repeats_itself_is_limited_and_says_so(pair, tmp_path):
    detector, coordinator = pair("--log-format", "json")

    def said():
        return [one["metadata"] for one in lines(detector) if one["message"] == "call failed"]

    # Until a line says how many were left out before it.
    sent = 0
    while not any("skipped" in line for line in said()):
        assert sent < 2000
        fail(coordinator, tmp_path, count=100)
        sent += 100
    assert len(said()) < sent
    assert len(said()) + sum(int(line.get("skipped", 0)) for line in said()) <= sent


def test_frames_of_a_stream_that_fail_are_said_with_their_node_so_often_in_a_second(pair, tmp_path):
    detector, coordinator = pair("--log-format", "json")

    def said():
        return [one["metadata"] for one in lines(coordinator) if one["message"] == "frame failed"]

    sent = 0
    while not any("skipped" in line for line in said()):
        assert sent < 2000
        fail(coordinator, tmp_path, 100, "--stream")
        sent += 100
    for line in said():
        assert (line["code"], line["stream"], line["node"]) == ("INVALID_ARGUMENT", "send", detector.address)
        assert 0 <= int(line["frame"]) < 100 and line["reason"]
    skipped = [int(line["skipped"]) for line in said() if "skipped" in line]
    assert all(count > 0 for count in skipped)
    assert len(said()) < sent and len(said()) + sum(skipped) <= sent


def test_a_trace_is_named_in_the_log(tmp_path, pair):
    detector, coordinator = pair("--log-format", "json", "--trace-endpoint", "127.0.0.1:1")
    fail(coordinator, tmp_path)

    def failed(role):
        return [one["metadata"] for one in lines(role) if one["message"] == "call failed"]

    [of_node] = until("the node says it", lambda: failed(detector))
    [of_coordinator] = until("the coordinator says it", lambda: failed(coordinator))
    assert re.fullmatch("[0-9a-f]{32}", of_node["trace_id"])
    assert of_node["trace_id"] == of_coordinator["trace_id"]
    assert of_node["span_id"] != of_coordinator["span_id"]


def test_text_is_for_people(pair, tmp_path):
    detector, coordinator = pair()
    fail(coordinator, tmp_path)
    pattern = r"^\S+Z info framemesh\.detector: call failed .*code=INVALID_ARGUMENT frame=0 "
    until("the node says it", lambda: re.search(pattern, detector.log.read_text(), re.M))


def test_signals_change_the_level(pair, tmp_path):
    detector, _ = pair("--log-format", "json", "--log-level", "notice")

    def said(level):
        return [one for one in lines(detector) if one["message"] == f"the log level is now {level}"]

    for number, level in [(signal.SIGUSR1, "info"), (signal.SIGUSR1, "debug"), (signal.SIGUSR2, "info")]:
        detector.process.send_signal(number)
        count = 2 if number == signal.SIGUSR2 else 1
        until(f"the level is {level}", lambda: len(said(level)) == count)
