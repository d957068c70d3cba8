"""The program that is measured, as the scripts here call it. Wants a release build."""
import contextlib
import json
import pathlib
import signal
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / ".build/release/framemesh"
# Of FRAMEMESH_MODELS: options of `up`, and of `bench` for pipelines that detect and classify.
DETECT = ["--detect-model", "yolo-fastest-1.1"]
CLASSIFY = ["--classify-model", "squeezenet-1.1"]
MODELS = DETECT + CLASSIFY
# Seconds of one run of `bench`; the longest here, an overload on a slow machine, takes a tenth of it.
LONGEST = 600

# Told to end, a script ends what it has started; by itself Python would leave it running.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def bench(*options, program=PROGRAM):
    """The result of `framemesh bench`, also where frames failed, which its exit code tells as well."""
    command = [str(each) for each in (program, "bench", *options, "--json", "-")]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=LONGEST)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    result = json.loads(done.stdout)
    if result.get("error"):
        sys.exit(f"{' '.join(command)}: {result['error']}")
    if not all(point["answered"] for point in result["points"]):
        sys.exit(f"{' '.join(command)}: no frame was answered: {result['points'][-1]['errors']}")
    return result


def environment():
    """What `bench` says of the machine, the versions and the commit."""
    return bench("--in-process", "--pipeline", "classify", "--size", "32x32", "--warmup", "0", "--duration", "0.2")["environment"]


@contextlib.contextmanager
def serving(role, *options):
    """The process and the address of a role, or of a mesh (`up`) and its coordinator."""
    command = [str(each) for each in (PROGRAM, role, *options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("ready "):
                sys.exit(f"{' '.join(command)} did not start")
            yield process, line.split()[1].removeprefix("coordinator=")
        finally:
            process.terminate()


def mesh(*options):
    return serving("up", "--no-gateway", "--coordinator-port", "0", *options)


def processor(point, role):
    """Microseconds of a frame, of all processes of the role."""
    return 1000 * sum(each["cpu_seconds_per_thousand"] for each in point["processes"] if each["name"] == role)


def spread(values):
    """Of the rounds."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def write(path, report):
    with open(path, "w") as file:
        json.dump(report, file, indent=1, ensure_ascii=False)
        file.write("\n")
