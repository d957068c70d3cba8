"""`framemesh evaluate` beside pycocotools and py-motmetrics, on the same predictions."""

import contextlib
import io
import json
import random
import subprocess

import motmetrics
import numpy
import pytest
from programs import DEMO, FRAMEMESH
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

# py-motmetrics 1.4 asks NumPy 2 for what only NumPy 1 had.
numpy.asfarray = lambda values: numpy.asarray(values, dtype=float)

TRUTH = json.loads((DEMO / "truth.json").read_text())
# Numbers go through JSON with nine decimals.
CLOSE = 1e-8


def evaluate(*arguments, code=0):
    command = [FRAMEMESH, "evaluate", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr


def pycocotools(annotations, results):
    """mAP50-95, mAP50, mAP75, AR100; and AP50-95 of each category that has objects."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        scores = COCOeval(truth, truth.loadRes(str(results)), "bbox")
        scores.evaluate()
        scores.accumulate()
        scores.summarize()
    precision = scores.eval["precision"][:, :, :, 0, 2]
    names = [truth.cats[each]["name"] for each in scores.params.catIds]
    each = {name: precision[:, :, at].mean() for at, name in enumerate(names) if precision[0, 0, at] > -1}
    return [scores.stats[at] for at in (0, 1, 2, 8)], each


def same_as_pycocotools(report, annotations, results):
    overall, each = pycocotools(annotations, results)
    assert [report[key] for key in ("map50_95", "map50", "map75", "ar100")] == pytest.approx(overall, abs=CLOSE)
    assert {row["name"]: row["ap50_95"] for row in report["classes"]} == pytest.approx(each, abs=CLOSE)


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_of_anything(tmp_path, seed):
    """Pictures with none to 150 boxes of one category, crowds, equal confidences, boxes of no object."""
    chance = random.Random(seed)
    categories = [{"id": 3 * number + 1, "name": f"kind {number}"} for number in range(4)]
    pictures = [{"id": 10 * number + 5, "file_name": f"{number}.jpg"} for number in range(30)]
    objects, results = [], []

    def box():
        return [chance.uniform(0, 300), chance.uniform(0, 300), chance.uniform(5, 120), chance.uniform(5, 120)]

    for picture in pictures:
        for _ in range(chance.randrange(12)):
            sides = box()
            kind = chance.choice(categories[:3])["id"]
            objects.append({"id": len(objects) + 1, "image_id": picture["id"], "category_id": kind, "bbox": sides,
                            "area": sides[2] * sides[3], "iscrowd": int(chance.random() < 0.1)})
            for _ in range(chance.randrange(4)):
                moved = [max(0.5, side + chance.gauss(0, 6)) for side in sides]
                results.append({"image_id": picture["id"], "category_id": kind, "bbox": moved, "score": round(chance.random(), 2)})
        for _ in range(chance.choice([0, 3, 150])):
            results.append({"image_id": picture["id"], "category_id": chance.choice(categories)["id"], "bbox": box(),
                            "score": round(chance.random() * 0.6, 2)})
    chance.shuffle(results)
    annotations, predictions = tmp_path / "annotations.json", tmp_path / "results.json"
    annotations.write_text(json.dumps({"images": pictures, "categories": categories, "annotations": objects}))
    predictions.write_text(json.dumps(results))
    same_as_pycocotools(evaluate("--dataset", tmp_path, "--annotations", annotations, "--predictions", predictions), annotations, predictions)


def coco_of_demo(folder):
    labels = sorted({digit["label"] for picture in TRUTH["pictures"].values() for digit in picture["digits"]})
    pictures, objects = [], []
    for number, (name, picture) in enumerate(TRUTH["pictures"].items(), 1):
        pictures.append({"id": number, "file_name": name})
        (folder / name).write_bytes((DEMO / name).read_bytes())
        for digit in picture["digits"]:
            objects.append({"id": len(objects) + 1, "image_id": number, "category_id": int(digit["label"]) + 1, "bbox": digit["box"],
                            "area": digit["box"][2] * digit["box"][3], "iscrowd": 0})
    categories = [{"id": int(label) + 1, "name": label} for label in labels]
    (folder / "annotations.json").write_text(json.dumps({"images": pictures, "categories": categories, "annotations": objects}))
    return objects


def test_a_detector_on_pictures(tmp_path):
    objects = coco_of_demo(tmp_path)
    report = evaluate("--model", "digits-detector", "--dataset", tmp_path, "--output", tmp_path / "results.json")
    same_as_pycocotools(report, tmp_path / "annotations.json", tmp_path / "results.json")
    assert sum(row["objects"] for row in report["classes"]) == len(objects)
    assert report["map50"] > 0.9
    # What was written is what was scored.
    again = evaluate("--dataset", tmp_path, "--predictions", tmp_path / "results.json", "--annotations", tmp_path / "annotations.json")
    assert again["map50_95"] == report["map50_95"]


def test_a_classifier_on_folders(tmp_path):
    count = 0
    for name, picture in TRUTH["pictures"].items():
        for digit in picture["digits"]:
            left, top, width, height = digit["box"]
            if min(width, height) < 20:
                continue
            folder = tmp_path / digit["label"]
            folder.mkdir(exist_ok=True)
            subprocess.run(["ffmpeg", "-v", "error", "-i", DEMO / name, "-vf", f"crop={width}:{height}:{left}:{top}",
                            "-frames:v", "1", folder / f"{count}.png"], check=True)
            count += 1
    report = evaluate("--model", "digits-classifier", "--dataset", tmp_path)
    assert sum(row["pictures"] for row in report["classes"]) == count
    assert report["top1"] > 0.9
    assert report["top5"] >= report["top1"]
    mean = sum(row["top1"] * row["pictures"] for row in report["classes"]) / count
    assert report["top1"] == pytest.approx(mean, abs=CLOSE)


def rows(entries):
    """[(frame, id, box)] as text of the MOT Challenge, which counts pixels from 1."""
    return "".join(
        f"{frame},{id},{left + 1:.2f},{top + 1:.2f},{width:.2f},{height:.2f},1,-1,-1,-1\n"
        for frame, id, (left, top, width, height) in entries)


def motmetrics_of(truth, tracks):
    accumulator = motmetrics.MOTAccumulator()
    for frame in sorted({each[0] for each in truth} | {each[0] for each in tracks}):
        at = [[each for each in entries if each[0] == frame] for entries in (truth, tracks)]
        boxes = [numpy.array([[round(side, 2) for side in each[2]] for each in entries]).reshape(-1, 4) for entries in at]
        distances = motmetrics.distances.iou_matrix(*boxes, max_iou=0.5)
        accumulator.update([each[1] for each in at[0]], [each[1] for each in at[1]], distances, frameid=frame)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives"]
    return motmetrics.metrics.create().compute(accumulator, metrics=names, name="all").loc["all"].tolist()


def scores(report):
    return [report[key] for key in ("mota", "idf1", "id_switches", "misses", "false_positives")]


def videos_of_chance(chance):
    """Objects that cross, are hidden for a while, and are found with others' ids."""
    truth, tracks = [], []
    for number in range(1, 8):
        x, y, dx, dy = chance.uniform(0, 200), chance.uniform(0, 100), chance.uniform(-4, 4), chance.uniform(-2, 2)
        track, hidden = number, 0
        for frame in range(chance.randrange(1, 20), 90):
            x, y = x + dx, y + dy
            truth.append((frame, number, (x, y, 30, 40)))
            if hidden == 0 and chance.random() < 0.05:
                hidden = chance.randrange(1, 9)
            if hidden > 0:
                hidden -= 1
                continue
            if chance.random() < 0.06:
                track = chance.choice([number, chance.randrange(1, 8), chance.randrange(100, 110)])
            if all((frame, track) != (each[0], each[1]) for each in tracks):
                tracks.append((frame, track, (x + chance.gauss(0, 4), y + chance.gauss(0, 4), 30, 40)))
            if chance.random() < 0.05:
                tracks.append((frame, 1000 + len(tracks), (chance.uniform(0, 300), chance.uniform(0, 200), 30, 40)))
    return truth, tracks


@pytest.mark.parametrize("seed", range(8))
def test_tracks_of_anything(tmp_path, seed):
    truth, tracks = videos_of_chance(random.Random(seed))
    (tmp_path / "data/video/gt").mkdir(parents=True)
    (tmp_path / "data/video/gt/gt.txt").write_text(rows(truth))
    (tmp_path / "video.txt").write_text(rows(tracks))
    report = evaluate("--dataset", tmp_path / "data", "--predictions", tmp_path)
    assert scores(report) == pytest.approx(motmetrics_of(truth, tracks), abs=CLOSE)


def test_a_video(tmp_path):
    """The tracker on a video of moving digits, scored from the file that it wrote, too."""
    video = TRUTH["videos"]["digits.mp4"]
    folder = tmp_path / "data/digits"
    (folder / "gt").mkdir(parents=True)
    (folder / "img1").mkdir()
    subprocess.run(["ffmpeg", "-v", "error", "-i", DEMO / "digits.mp4", "-q:v", "2", folder / "img1/%06d.jpg"], check=True)
    truth = [(frame, digit["id"], digit["box"]) for frame, each in enumerate(video["frames"], 1) for digit in each["digits"]
             if digit["visible"] > 0.5]
    (folder / "gt/gt.txt").write_text(rows(truth))
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nname=digits\nimDir=img1\nframeRate={video['rate']}\n")
    report = evaluate("--model", "digits-detector", "--dataset", tmp_path / "data", "--output", tmp_path / "tracks")
    # As py-motmetrics reads it: with pixels counted from 0.
    table = motmetrics.io.loadtxt(tmp_path / "tracks/digits.txt", fmt="mot15-2D")[["X", "Y", "Width", "Height"]]
    written = [(frame, id, tuple(box)) for (frame, id), *box in table.itertuples(name=None)]
    assert scores(report) == pytest.approx(motmetrics_of(truth, written), abs=CLOSE)
    assert report["idf1"] > 0.8


@pytest.mark.parametrize("arguments, said", [
    (["--model", "digits-detector", "--predictions", "x"], "either --model or --predictions"),
    (["--model", "digits-classifier"], "is no detector"),
    (["--model", "digits-detector", "--label", "7"], "--label means nothing for this data set"),
    (["--model", "nothing"], "nothing"),
    (["--predictions", "x", "--min-confidence", "0.5"], "--min-confidence is for what a --model finds"),
    (["--model", "digits-detector", "--output", "/nowhere/results.json"], "cannot write /nowhere/results.json: no such file or directory"),
])
def test_usage(tmp_path, arguments, said):
    coco_of_demo(tmp_path)
    assert said in evaluate("--dataset", tmp_path, *arguments, code=2)


def test_what_is_no_dataset(tmp_path):
    assert "is no data set" in evaluate("--model", "digits-detector", "--dataset", tmp_path, code=2)
    (tmp_path / "annotations.json").write_text('{"images": []}')
    assert "annotations.json: there is no 'categories'" in evaluate("--model", "digits-detector", "--dataset", tmp_path, code=2)


def test_a_broken_picture_is_named(tmp_path):
    coco_of_demo(tmp_path)
    (tmp_path / "numbers-03.jpg").write_bytes(b"no picture")
    assert "numbers-03.jpg" in evaluate("--model", "digits-detector", "--dataset", tmp_path, code=1)


def test_results_of_before_stay_until_there_are_others(tmp_path):
    coco_of_demo(tmp_path)
    (tmp_path / "numbers-03.jpg").write_bytes(b"no picture")
    results = tmp_path / "results.json"
    results.write_text("those of yesterday")
    evaluate("--model", "digits-detector", "--dataset", tmp_path, "--output", results, code=1)
    evaluate("--model", "digits-classifier", "--dataset", tmp_path, "--output", results, code=2)
    assert results.read_text() == "those of yesterday"
