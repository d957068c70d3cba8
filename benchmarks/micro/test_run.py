"""What is judged, and how strictly."""

import json

import pytest
import run

KNOWN = {
    "tolerance_percent": 3,
    "made_with": {"Swift": "6.3.1", "packages": "swift-log 1.16.2, swift-nio 2.101.2", "valgrind": "3.19.0"},
    "instructions": {"nms": 1000},
}


def here(**changes):
    return KNOWN["made_with"] | changes


@pytest.mark.parametrize("changes, tolerance", [
    ({}, 3),
    ({"packages": "swift-log 1.16.3, swift-nio 2.101.2"}, 10),
    ({"packages": "swift-log 1.17.0, swift-nio 3.0.0"}, 10),
    ({"packages": "swift-nio 2.101.2"}, None),
    ({"packages": "none"}, None),
    ({"Swift": "6.3.2"}, None),
    ({"valgrind": "none"}, None),
    ({"packages": "swift-log 1.16.3, swift-nio 2.101.2", "Swift": "6.3.2"}, None),
])
def test_only_versions_of_packages_are_judged_with_more_tolerance(changes, tolerance):
    assert run.tolerance_of(KNOWN, here(**changes)) == tolerance


def test_a_larger_tolerance_is_kept():
    assert run.tolerance_of(KNOWN | {"tolerance_percent": 20}, here(packages="swift-log 2, swift-nio 3")) == 20


def ended(monkeypatch, tmp_path, counted, **changes):
    """The code with which it ends."""
    thresholds = tmp_path / "thresholds.json"
    thresholds.write_text(json.dumps(KNOWN))
    program = tmp_path / "hot-pieces"
    program.touch()
    for name, value in {
            "THRESHOLDS": thresholds, "PROGRAM": program, "WORK": run.ROOT / ".build/micro",
            "versions": lambda: here(**changes), "said": lambda *_: "nms",
            "measure": lambda pieces, _: ({piece: counted for piece in pieces}, dict.fromkeys(pieces, 0))}.items():
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(run.shutil, "which", lambda _: "valgrind")
    monkeypatch.setattr(run.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr("sys.argv", ["run.py"])
    try:
        run.main()
    except SystemExit as end:
        return end.code
    return 0


PACKAGES = {"packages": "swift-log 1.16.3, swift-nio 2.101.2"}


@pytest.mark.parametrize("counted, changes, code, words", [
    (1029, {}, 0, "nms"), (1040, {}, 1, "DEARER"),
    (1090, PACKAGES, 0, "judged with a tolerance of 10 %"), (1110, PACKAGES, 1, "judged with a tolerance of 10 %"),
    (5000, {"Swift": "6.3.2"}, 0, "NOT JUDGED"),
])
def test_what_got_dearer_ends_with_1_where_it_is_judged(monkeypatch, tmp_path, capsys, counted, changes, code, words):
    assert ended(monkeypatch, tmp_path, counted, **changes) == code
    assert words in capsys.readouterr().out
