"""Frames that do harm, and stages that are missing."""

import time

from bench import mixed, scenario, seconds, wait
from mesh import Mesh
from oracle import OK, quantile


def supervise(mesh, least, is_over=lambda restarts: True, most=90):
    """Starts each node again that ends, for so many seconds and until it is over. Returns how often that was."""
    restarts = 0
    start = time.monotonic()
    while (passed := time.monotonic() - start) < least or (passed < most and not is_over(restarts)):
        for node in mesh.nodes:
            if not node.process.is_running():
                restarts += 1
                node.start()
        time.sleep(0.05)
    return restarts


@scenario("a frame that crashes a decoder")
def poison(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 1, mark="50:crash")
    # At 5 frames a second of each stream.
    restarts = supervise(mesh, bench.pick(14, 24), lambda restarts: load.so_far().failed())
    bench.get_load(load, mesh.nodes, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    failed = run.failed()
    bench.must("costs that frame alone", len(failed) == 1 and failed[0].number == 50,
               f"{len(failed)} failed" + (f": {failed[0]}" if failed else ""))
    bench.must("at most two restarts", restarts <= 2, restarts)


@scenario("frames that a worker never ends")
def hanging_frames(bench):
    mesh = Mesh(bench.cluster, nodes=3, patience=4)
    marked = [20, 60]
    load = mixed(mesh, 1, mark=[f"{number}:hang" for number in marked], deadline=4000)
    restarts = supervise(mesh, bench.pick(20, 40), lambda restarts: restarts > 0)
    bench.get_load(load, mesh.nodes, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    failed = [frame for frame in run.failed() if not frame.stream.endswith("-0") or frame.number not in marked]
    bench.must("costs those frames alone", not failed, f"{len(failed)}" + (f": {failed[0]}" if failed else ""))
    bench.must("nodes with lost workers end and are started again", restarts > 0, restarts)


@scenario("the classifiers are gone, the detectors are not")
def partial(bench):
    mesh = Mesh(bench.cluster, nodes=2, classifiers=1)
    load = mesh.load(unary_rate=20, streams=2, stream_rate=5, pipeline="detect+classify", deadline=4000)
    load.until_answered(20)
    at = time.monotonic()
    mesh.classifiers[0].process.kill()
    wait(bench.pick(6, 12))
    end = time.monotonic()
    mesh.classifiers[0].restart()
    mesh.coordinator.wait_until_ready(3)
    back = time.monotonic()
    load.until_answered(20, back + 1)
    run = load.stop()
    bench.oracle(run)
    during = run.between(at + 0.5, end - 4)
    wrong = [frame for frame in during if frame.result != "partial" or frame.missing != ["classify"]]
    bench.must("partial, and says that classify is missing", during and not wrong,
               f"{len(wrong)} of {len(during)} not" + (f": {wrong[0]}" if wrong else ""))
    bench.time("within the deadline of 4 s", quantile(during, 1) <= 4.1, seconds(quantile(during, 1)))
    after = [frame for frame in run.between(back + 1) if frame.result != OK]
    bench.must("whole again when they return", not after, f"{len(after)} not")
