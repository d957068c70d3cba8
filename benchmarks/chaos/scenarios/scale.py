"""Nodes and coordinators that come, go and are exchanged."""

import time

from bench import mixed, scenario, seconds, wait
from mesh import DETECTORS, Mesh
from oracle import even_from, unevenness


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
    wait(bench.pick(8, 20))
    bench.get_load(load, new, grown, "new nodes get load")
    mesh.publish(detectors=new)
    shrunk = time.monotonic()
    mesh.coordinator.wait_until_known([node.pod for node in new])
    wait(bench.pick(5, 12))
    codes = [node.end() for node in old]
    load.until_answered(10, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    names = [node.name for node in mesh.nodes]
    even = even_from(run, names, grown, shrunk)
    bench.time("within 20 % of even in ≤ 10 s", even <= 10, f"{even:.1f} s")
    bench.time("two left: within 20 % of even",
               unevenness(run.between(shrunk + 2), [node.name for node in new]) <= 0.2,
               f"{unevenness(run.between(shrunk + 2), [node.name for node in new]) * 100:.0f} %")
    last = max((frame.planned for frame in run.frames if frame.node in [node.name for node in old]), default=shrunk)
    bench.time("removed nodes get nothing after ≤ 6 s", last - shrunk <= 6, seconds(max(0, last - shrunk)))
    bench.must("removed nodes drain and end with 0", codes == [0, 0], codes)


@scenario("rolling restart of all nodes")
def restart_nodes(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    codes = []
    for _ in range(bench.pick(1, 3)):
        for node in mesh.nodes:
            codes.append(node.end())
            node.restart()
            wait(bench.pick(1, 2))
    bench.get_load(load, mesh.nodes, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("all drain and end with 0", codes == [0] * len(codes), codes)


def check_streams(bench, load):
    """Streams lost their coordinators and nothing else. Returns the run."""
    load.until_answered(20, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    epochs = [frame.epoch for frame in run.frames if frame.object is not None]
    bench.must("streams went on elsewhere, in a new epoch", run.resumed and max(epochs) > 0,
               f"{len(run.resumed)} times, {sum(one['again'] for one in run.resumed)} frames sent again, "
               f"epoch {max(epochs, default=0)}")
    return run


@scenario("rolling restart of all coordinators")
def restart_coordinators(bench):
    mesh = Mesh(bench.cluster, nodes=2, coordinators=2)
    load = mixed(mesh, 2)
    wait(2)
    calls = [coordinator.calls() for coordinator in mesh.coordinators]
    bench.must("one name, and both coordinators get load", all(calls), calls)
    codes = []
    for _ in range(bench.pick(1, 3)):
        for coordinator in mesh.coordinators:
            codes.append(coordinator.end())
            coordinator.restart().wait_until_ready(2)
            wait(2)
    check_streams(bench, load)
    bench.must("all drain and end with 0", codes == [0] * len(codes), codes)


@scenario("kill -9 a coordinator, again and again")
def kill_coordinators(bench):
    mesh = Mesh(bench.cluster, nodes=2, coordinators=2)
    load = mixed(mesh, 2)
    for coordinator in mesh.coordinators * bench.pick(1, 3):
        wait(2)
        coordinator.process.kill()
        wait(1)
        coordinator.restart().wait_until_ready(2)
    check_streams(bench, load)


def only_coordinator(bench, clients, rate):
    """The only coordinator is killed; all its clients come back at the same time."""
    # All clients have one address here.
    mesh = Mesh(bench.cluster, nodes=2, options=["--limit", "max-connections-per-address=off"])
    load = mesh.load(unary_rate=rate, clients=clients, streams=4, tracked=1, stream_rate=5, deadline=10_000)
    load.until_answered(10)
    start = wait(bench.pick(2, 4))
    mesh.coordinator.process.kill()
    mesh.coordinator.restart().wait_until_ready(2)
    back = time.monotonic()
    load.until_answered(50, back + 3)
    wait(bench.pick(1, 20))
    run = load.stop()
    bench.oracle(run)
    failed = [frame for frame in run.failed() if frame.planned > back or frame.stream]
    bench.must("0 failed calls once it is back, 0 of streams", not failed,
               f"{len(failed)}" + (f": {failed[0]}" if failed else ""))
    first = min((frame.end for frame in run.answered(back)), default=float("inf"))
    bench.time("answers again in < 2 s", first - back < 2, seconds(first - back))
    bench.calm(run, (start - 2, start), (back + 3, time.monotonic()), "p99 ≤ 3 × quiet after ≤ 3 s")


@scenario("the only coordinator is killed, 50 clients reconnect")
def reconnect(bench):
    only_coordinator(bench, 50, 50)


@scenario("the only coordinator is killed, 1,000 clients reconnect at once", short=False)
def herd(bench):
    only_coordinator(bench, 1000, 60)


@scenario("nodes in two zones, a coordinator in one of them")
def zones(bench):
    mesh = Mesh(bench.cluster, nodes=2, zone="here", options=["--zone", "here"])
    near, far = mesh.nodes[:], [mesh.add_node(zone="there"), mesh.add_node(zone="there")]
    mesh.publish()
    mesh.coordinator.wait_until_ready(4)
    # Little enough that the near ones always have room.
    load = mixed(mesh, 1, share=0.3)
    at = wait(bench.pick(4, 10))
    quiet = load.so_far().between(at - 3)
    there = [frame for frame in quiet if frame.node in [node.name for node in far]]
    bench.time("the own zone gets ≥ 95 %", len(there) <= 0.05 * len(quiet), f"{len(there)} of {len(quiet)} elsewhere")
    for node in near:
        node.process.kill()
        # A frame that was with both when they went might have been the reason.
        wait(1)
    bench.get_load(load, far, time.monotonic(), "without it, the other zone gets all")
    for node in near:
        node.restart()
    bench.get_load(load, near, time.monotonic(), "the own zone gets load again")
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
