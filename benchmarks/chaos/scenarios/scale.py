"""Nodes and coordinators that come, go and are exchanged."""

import signal
import time

from bench import mixed, scenario, seconds, wait
from mesh import DETECTORS, Mesh
from oracle import even_from, shares, unevenness


@scenario("scale 2 → 4 → 2 nodes by DNS")
def scale(bench):
    two_four_two(bench, Mesh(bench.cluster, nodes=2))


@scenario("scale 2 → 4 → 2 nodes by SRV records")
def scale_by_srv(bench):
    two_four_two(bench, Mesh(bench.cluster, nodes=2, detectors=f"srv:///_grpc._tcp.{DETECTORS}"))


def two_four_two(bench, mesh):
    load = mixed(mesh, 2)
    wait(bench.pick(2, 5))
    old, new = mesh.nodes[:2], [mesh.add_node(), mesh.add_node()]
    mesh.publish()
    grown = time.monotonic()
    wait(bench.pick(14, 20))
    mesh.publish(detectors=new)
    shrunk = time.monotonic()
    wait(bench.pick(8, 12))
    for node in old:
        node.process.send(signal.SIGTERM)
    codes = [node.process.wait(20) for node in old]
    wait(1)
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    names = [node.name for node in mesh.nodes]
    even = even_from(run, names, grown, shrunk)
    bench.must("new nodes get load", all(shares(run.between(grown, shrunk))[node.name] for node in new),
               dict(shares(run.between(grown, shrunk))))
    bench.time("within 20 % of even in ≤ 10 s", even <= 10, f"{even:.1f} s")
    bench.time("two left: within 20 % of even",
               unevenness(run.between(shrunk + 6), [node.name for node in new]) <= 0.2,
               f"{unevenness(run.between(shrunk + 6), [node.name for node in new]) * 100:.0f} %")
    last = max((frame.planned for frame in run.frames if frame.node in [node.name for node in old]), default=shrunk)
    bench.time("removed nodes get nothing after ≤ 6 s", last - shrunk <= 6, seconds(max(0, last - shrunk)))
    bench.must("removed nodes drain and end with 0", codes == [0, 0], codes)


@scenario("rolling restart of all nodes")
def restart_nodes(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    wait(2)
    codes = []
    for _ in range(bench.pick(1, 3)):
        for node in mesh.nodes:
            node.process.send(signal.SIGTERM)
            codes.append(node.process.wait(20))
            node.restart()
            wait(bench.pick(1, 2))
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("all drain and end with 0", not any(codes), codes)
    bench.must("all get load", len(shares(run.frames)) == 3, dict(shares(run.frames)))


@scenario("rolling restart of all coordinators, unary calls")
def restart_coordinators_unary(bench):
    mesh = Mesh(bench.cluster, nodes=2, coordinators=2)
    load = mesh.load(unary_rate=60)
    codes = roll_coordinators(mesh, bench.pick(1, 3))
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("all drain and end with 0", not any(codes), codes)


def roll_coordinators(mesh, rounds):
    wait(2)
    codes = []
    for _ in range(rounds):
        for coordinator in mesh.coordinators:
            coordinator.process.send(signal.SIGTERM)
            codes.append(coordinator.process.wait(40))
            coordinator.restart()
            wait(4)
    return codes


@scenario("rolling restart of all coordinators, streams", needs="streams that resume at another coordinator")
def restart_coordinators(bench):
    mesh = Mesh(bench.cluster, nodes=2, coordinators=2)
    load = mixed(mesh, 2)
    codes = roll_coordinators(mesh, bench.pick(1, 3))
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("all drain and end with 0", not any(codes), codes)


@scenario("200 clients reconnect to a coordinator that was killed", short=False)
def herd(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    load = mesh.load(unary_rate=60, channels=200, deadline=10_000)
    start = wait(4)
    coordinator = mesh.coordinators[0]
    coordinator.process.kill()
    coordinator.restart()
    back = time.monotonic()
    wait(bench.pick(6, 12))
    run = load.stop()
    bench.oracle(run)
    failed = [frame for frame in run.failed() if frame.planned > back]
    bench.must("0 failed calls once it is back", not failed,
               f"{len(failed)}" + (f": {failed[0]}" if failed else ""))
    bench.calm(run, (start - 2, start), (back + 3, time.monotonic()), "p99 ≤ 3 × quiet after ≤ 3 s")


@scenario("kill -9 a coordinator", needs="streams that resume at another coordinator")
def kill_coordinators(bench):
    mesh = Mesh(bench.cluster, nodes=2, coordinators=2)
    load = mixed(mesh, 2)
    wait(2)
    for coordinator in mesh.coordinators * bench.pick(1, 3):
        coordinator.process.kill()
        wait(1)
        coordinator.restart()
        wait(4)
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
