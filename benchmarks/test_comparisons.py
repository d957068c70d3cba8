"""What the comparisons of `make bench` ask of `framemesh bench`, and read of its answer, for a moment each: they take more than an
hour, so nobody runs them for each change of the program. Wants a release build."""
import argparse
import importlib.util
import json
import os
import pathlib

import pytest

import framemesh
import summary

MODELS = pathlib.Path(os.environ.get("FRAMEMESH_MODELS") or framemesh.ROOT.parent / "shared/models")
PICTURE = framemesh.ROOT / "Sources/framemesh/Resources/demo/numbers-01.jpg"


def script(name):
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), pathlib.Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


in_process = script("mesh-vs-in-process")


@pytest.mark.skipif(not MODELS.is_dir(), reason="there are no models")
@pytest.mark.parametrize("pipeline", in_process.PIPELINES)
def test_every_pipeline_is_measured_in_process(pipeline, monkeypatch):
    monkeypatch.setenv("FRAMEMESH_MODELS", str(MODELS))
    result = in_process.measure(in_process.Cell(pipeline, "640x480", "JPEG"), PICTURE, 0.2, None)
    assert in_process.kept(result)["failed"] == 0 and result["engine"]


def test_a_mesh_is_measured_and_told(tmp_path):
    options = argparse.Namespace(ms=1, concurrency=None, seconds=0.3)
    result = script("scaling").run(framemesh.PROGRAM, 1, None, options)
    assert script("overload").kept(result["points"][0])["answered"] > 0
    lines = tmp_path / "scaling.json"
    lines.write_text(json.dumps(result) + "\n")
    [(what, figure, _), *_] = summary.nodes(lines)
    assert what == "1 node of 1 ms" and "frames/s by one core" in figure
