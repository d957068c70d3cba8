"""Networks that lose, delay and cut."""

import os
import sys
import time

from bench import mixed, scenario, seconds, wait
from mesh import DETECTOR_PORT, Mesh
from oracle import OK, quantile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@scenario("partition of half the nodes, then heal")
def partition(bench):
    mesh = Mesh(bench.cluster, nodes=4)
    load = mixed(mesh, 2)
    start = wait(bench.pick(3, 5))
    pod = mesh.coordinator.pod
    pod.cut_off([node.pod for node in mesh.nodes[:2]])
    wait(bench.pick(8, 20))
    pod.heal()
    healed = time.monotonic()
    bench.get_load(load, mesh.nodes, healed, "all get load again")
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.calm(run, (start - 3, start), (start + 2, healed), "p99 ≤ 3 × quiet after ≤ 2 s")


@scenario("30 % of a node's packets are lost")
def packet_loss(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    start = time.monotonic()
    at = wait(2)
    mesh.nodes[0].pod.lose(30)
    wait(bench.pick(8, 20))
    end = time.monotonic()
    mesh.nodes[0].pod.heal()
    bench.get_load(load, mesh.nodes, end)
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.tell("p99", True, f"{seconds(quantile(run.between(at + 2, end), 0.99))}, quiet "
               f"{seconds(quantile(run.between(start, at), 0.99))}")


def proxied(bench, faults, short, full, is_felt, **options):
    """All nodes behind proxies. `is_felt(frames)`: whether the fault is to be seen in them. `options`: of the load."""
    mesh = Mesh(bench.cluster, nodes=3)
    proxies = []
    for node in mesh.nodes:
        pod = bench.cluster.pod(f"x{node.name}")
        process = pod.run(pod.name, [
            sys.executable, os.path.join(HERE, "proxy.py"), str(DETECTOR_PORT), node.pod.address, str(DETECTOR_PORT)])
        process.wait_for("ready")
        proxies.append((pod, process))
    mesh.publish(detectors=[pod for pod, _ in proxies])
    mesh.coordinator.wait_until_known([pod for pod, _ in proxies])
    load = mixed(mesh, 2, share=0.3, **options)
    start = time.monotonic()
    at = wait(2)
    for index, (_, process) in enumerate(proxies):
        process.tell(faults(index))
    wait(bench.pick(short, full))
    end = time.monotonic()
    for _, process in proxies:
        process.tell('{"delay": 0, "jitter": 0, "reset": 0, "rate": 0}')
    load.until_answered(50, end + 2)
    run = load.stop()
    bench.oracle(run)
    failed = run.failed()
    bench.tell("0 failed calls", not failed,
               f"{len(failed)} of {len(run.frames)}" + (f": {failed[0]}" if failed else ""))
    bench.tell("p99", True, f"{seconds(quantile(run.between(at + 2, end), 0.99))}, quiet "
               f"{seconds(quantile(run.between(start, at), 0.99))}")
    bench.must("the fault was there", is_felt(run.between(at + 1, end)), "")
    late = [frame for frame in run.between(end + 2) if frame.result != OK]
    bench.must("all is well after it", not late, f"{len(late)} failed")


@scenario("200 ms of delay to all nodes, with 50 ms of jitter")
def delay(bench):
    proxied(bench, lambda index: '{"delay": 0.1, "jitter": 0.025}', 6, 20,
            lambda frames: quantile(frames, 0.1) > 0.2)


@scenario("resets at random byte offsets, of two nodes of three")
def resets(bench):
    proxied(bench, lambda index: '{"reset": 20000}' if index < 2 else "{}", 8, 30,
            lambda frames: any(frame.attempts for frame in frames))


@scenario("1 Mbit/s to all nodes", short=False)
def narrow(bench):
    proxied(bench, lambda index: '{"rate": 125000}', 6, 20,
            lambda frames: quantile(frames, 0.1) > 0.030, side=48)
