"""Forward passes of every engine with every network, preprocessing, and whole pipelines, one thread, in turns: see README.md."""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE.parent))
import framemesh  # noqa: E402
import pipelines  # noqa: E402

BUNDLED = ROOT / "Sources/framemesh/Resources/models"
OWN = ["opencv", "opencv+onednn", "openvino"]
# In Python; what OpenVINO takes by itself on a processor that has it is bf16.
PEERS = ["onnxruntime", "openvino in Python", "openvino in Python, bf16"]
ENGINES = OWN + PEERS
RATIOS = [("opencv", "opencv+onednn"), ("opencv+onednn", "openvino in Python"), ("openvino", "openvino in Python")]
# Name, network and weights as OpenCV reads them, the same as ONNX, width, height, channels.
NETWORKS = [
    ("yolo-fastest-1.1", "yolo-fastest-1.1.cfg", "yolo-fastest-1.1.weights", "yolo-fastest-1.1.rawheads.onnx", 320, 320, 3),
    (
        "yolo-fastest-1.1-xl", "yolo-fastest-1.1-xl.cfg", "yolo-fastest-1.1-xl.weights",
        "yolo-fastest-1.1-xl.rawheads.onnx", 320, 320, 3,
    ),
    ("FastestDet", "FastestDet.onnx", None, "FastestDet.onnx", 352, 352, 3),
    ("ultraface-RFB-320", "ultraface-RFB-320.onnx", None, "ultraface-RFB-320.onnx", 320, 240, 3),
    ("squeezenet-1.1", "squeezenet_v1.1.onnx", None, "squeezenet_v1.1.onnx", 227, 227, 3),
    ("digits-detector", "digits-detector.onnx", None, "digits-detector.onnx", 320, 240, 1),
    ("digits-classifier", "digits-classifier.onnx", None, "digits-classifier.onnx", 32, 32, 1),
]


class Runner:
    """A process with one engine and one network."""

    def __init__(self, engine, command):
        self.times = []
        self.rounds = []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        first = self.process.stdout.readline().split(maxsplit=3)
        if len(first) < 4:
            raise RuntimeError(f"{engine}: {self.process.stderr.read().strip()}")
        self.load_ms, self.first_kib, self.further_kib = float(first[0]), int(first[1]), int(first[2])
        self.description = first[3].strip()

    def run(self, passes):
        self.process.stdin.write(f"{passes}\n")
        self.process.stdin.flush()
        times = [float(text) for text in self.process.stdout.readline().split()]
        self.times += times
        self.rounds.append(statistics.median(times))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def commands(network, models):
    name, config, weights, onnx, width, height, channels = network
    size = [str(width), str(height), str(channels)]

    def place(file):
        bundled = BUNDLED / file
        return str(bundled if bundled.exists() else models / file)

    own = [place(config), place(weights) if weights else "-", *size]
    forward = str(ROOT / ".build/vision-bench/forward")
    for engine in ENGINES:
        if engine == "openvino":
            yield engine, [forward, engine, place(onnx), "-", *size]
        elif engine in OWN:
            yield engine, [forward, engine, *own]
        else:
            name = engine.replace(" in Python", "").replace(", ", "-")
            yield engine, [sys.executable, str(HERE / "peers.py"), name, place(onnx), *size]


def measure(network, models, rounds, passes):
    runners = {}
    for engine, command in commands(network, models):
        try:
            runners[engine] = Runner(engine, command)
        except RuntimeError as error:
            print(f"{network[0]}: {error}", file=sys.stderr)
    for _ in range(rounds):
        for runner in runners.values():
            runner.run(passes)
    for runner in runners.values():
        runner.close()
    return {
        engine: {
            "median_ms": statistics.median(runner.times), "min_ms": min(runner.times),
            "round_medians_ms": runner.rounds, "load_ms": runner.load_ms, "first_net_kib": runner.first_kib,
            "further_net_kib": runner.further_kib, "layers": runner.description,
        }
        for engine, runner in runners.items()
    }


def ratio(results, a, b):
    """Of the rounds' medians, the median: what slows a round down slows both."""
    if a not in results or b not in results:
        return None
    pairs = zip(results[a]["round_medians_ms"], results[b]["round_medians_ms"])
    return statistics.median(x / y for x, y in pairs)


def table(all_results):
    lines = [
        "| | " + " | ".join(ENGINES + [f"{a} ÷ {b}" for a, b in RATIOS]) + " |",
        "|---|" + "---|" * (len(ENGINES) + len(RATIOS)),
    ]
    for name, results in all_results.items():
        cells = [
            f"{results[e]['median_ms']:.2f} / {results[e]['min_ms']:.2f}" if e in results else "–" for e in ENGINES
        ]
        for a, b in RATIOS:
            value = ratio(results, a, b)
            cells.append("–" if value is None else f"{value:.2f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| | first net, MiB | each further net, MiB | load, ms | layers |", "|---|---|---|---|---|"]
    for name, results in all_results.items():
        for engine in OWN:
            if engine in results:
                r = results[engine]
                lines.append(
                    f"| {name}, {engine} | {r['first_net_kib'] / 1024:.1f} | {r['further_net_kib'] / 1024:.1f} | "
                    f"{r['load_ms']:.0f} | {r['layers']} |"
                )
    return "\n".join(lines) + "\n"


def preprocessing(lines):
    rows = ["| " + line.replace("|", " | ") + " |" for line in lines]
    return "\n".join(["| preprocessing, ms | OpenCV's calls | one pass | ratio |", "|---|---|---|---|", *rows]) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=pathlib.Path, default=ROOT.parent / "shared/models")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--passes", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.3, help="of each turn of a pipeline")
    parser.add_argument("--only", nargs="*", help="names of networks, or pipelines")
    parser.add_argument(
        "--picture", type=pathlib.Path, default=ROOT.parent / "shared/golden/pictures/person.jpg",
        help="what pipelines see: has to have something in it that both detectors are sure of")
    parser.add_argument("--output", default="trial", help="name of the files in results/")
    options = parser.parse_args()
    chosen = [network for network in NETWORKS if not options.only or network[0] in options.only]
    machine = framemesh.environment()
    results = {n[0]: measure(n, options.models, options.rounds, options.passes) for n in chosen}
    steps = subprocess.run(
        [ROOT / ".build/vision-bench/preprocess", str(options.rounds)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    whole = {}
    if not options.picture.is_file():
        print(f"pipelines are left out: {options.picture} is not there", file=sys.stderr)
    elif not options.only or "pipelines" in options.only:
        whole = pipelines.measure(options.picture, options.models, options.rounds, options.seconds)
    text = "\n".join([table(results), preprocessing(steps), *([pipelines.table(whole)] if whole else [])])
    print(text)
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{options.output}.md").write_text(text)
    about = {
        "environment": machine, "rounds": options.rounds, "passes": options.passes, "seconds": options.seconds,
        "picture": options.picture.name,
    }
    measured = {"results": results, "preprocessing": steps, "pipelines": whole}
    framemesh.write(f"{folder / options.output}.json", about | measured)


main()
