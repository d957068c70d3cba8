"""Name servers that are away, slow or lie, and records that are not as they should be."""

import time

from bench import mixed, scenario, wait
from cluster import until
from mesh import COORDINATOR_PORT, DETECTOR_PORT, DETECTORS, Mesh, Node, known
from oracle import shares

# Nobody lives there.
EMPTY_HOUSE = "10.77.200.1"


def believes(mesh, address):
    """Waits until the coordinator has taken an address for one of its nodes'. Returns whether it has."""
    return until(lambda: address in known(mesh.coordinator.state() or []), 30)


def check(bench, load):
    """All is well now, and nothing was lost before."""
    load.until_answered(20, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    return run


@scenario("DNS server down, hung, lying, flapping")
def dns(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    server = bench.cluster.dns
    away = bench.pick(7, 15)
    server.stop()
    wait(away)
    server.start()
    wait(2)
    server.pause()
    wait(away)
    server.resume()
    wait(2)
    # No such name.
    mesh.publish(detectors=[])
    wait(away)
    # Nobody, and one who is no detector.
    mesh.publish(detectors=mesh.nodes[:2] + [EMPTY_HOUSE, mesh.coordinator])
    bench.must("the lie was told", believes(mesh, EMPTY_HOUSE), EMPTY_HOUSE)
    wait(1)
    for _ in range(bench.pick(4, 10)):
        mesh.publish(detectors=[])
        wait(0.5)
        mesh.publish()
        wait(0.5)
    mesh.coordinator.wait_until_known([node.pod for node in mesh.nodes])
    bench.get_load(load, mesh.nodes, time.monotonic())
    check(bench, load)
    said = mesh.coordinator.process.text().count("keeping the last endpoints")
    bench.must("trouble is said once, not each second", 1 <= said <= 12, f"{said} lines")


@scenario("SRV records with a wrong port, of the coordinator itself, of an empty house")
def wrong_records(bench):
    mesh = Mesh(bench.cluster, nodes=2, detectors=f"srv:///_grpc._tcp.{DETECTORS}")
    load = mixed(mesh, 2)
    # With its own port too: a frame that came back to it would go round for ever.
    own = f"{mesh.coordinator.pod.address}:{COORDINATOR_PORT}"
    mesh.publish(detectors=mesh.nodes + [(mesh.nodes[0], 9), (mesh.coordinator, COORDINATOR_PORT), EMPTY_HOUSE])
    told = time.monotonic()
    mesh.coordinator.wait_until(
        lambda nodes: any(node["address"] == own and node["state"] == "wrong service" for node in nodes),
        "its own address is seen through")
    wait(bench.pick(3, 10))
    run = check(bench, load)
    answered = shares(run.between(told))
    bench.must("the nodes get all", set(answered) == {node.name for node in mesh.nodes}, dict(answered))


@scenario("a name that has IPv6 addresses only")
def ipv6(bench):
    mesh = Mesh(bench.cluster, nodes=2, host="[::]")
    load = mixed(mesh, 2)
    addresses = {node.pod.address6 for node in mesh.nodes}
    mesh.publish(detectors=sorted(addresses))
    mesh.coordinator.wait_until(
        lambda nodes: known(nodes) == addresses and all(node["state"] == "ready" for node in nodes), "IPv6 only")
    bench.get_load(load, mesh.nodes, time.monotonic())
    check(bench, load)


@scenario("records that live for no time, and for 31 years")
def lifetimes(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    load = mixed(mesh, 2)
    server = bench.cluster.dns
    mesh.publish(ttl=0)
    until(lambda: server.questions(DETECTORS) > 1, 30)
    before, start = server.questions(DETECTORS), time.monotonic()
    wait(bench.pick(6, 15))
    asked, passed = server.questions(DETECTORS) - before, time.monotonic() - start
    bench.must("asked again, at most once a second", 0 < asked <= passed + 2, f"{asked} in {passed:.0f} s")
    mesh.publish(ttl=1_000_000_000)
    before = server.questions(DETECTORS)
    until(lambda: server.questions(DETECTORS) > before, 30)
    added = mesh.add_node()
    mesh.publish(ttl=1_000_000_000)
    grown = time.monotonic()
    bench.get_load(load, [added], grown, "a new node is found all the same")
    run = check(bench, load)
    first = min((frame.end for frame in run.between(grown) if frame.node == added.name), default=float("inf"))
    bench.time("… in ≤ 7 s", first - grown <= 7, f"{first - grown:.1f} s")


@scenario("a thousand addresses, two of them nodes", short=False)
def many_addresses(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    load = mixed(mesh, 2)
    mesh.publish(detectors=mesh.nodes + [f"10.77.{200 + index // 250}.{index % 250 + 1}" for index in range(998)])
    bench.must("the lie was told", believes(mesh, EMPTY_HOUSE), EMPTY_HOUSE)
    wait(15)
    mesh.publish()
    mesh.coordinator.wait_until_known([node.pod for node in mesh.nodes])
    check(bench, load)


def given_away(bench, stranger, **options):
    """A node is gone, and its address belongs to a `stranger`, made of the pod, which must not get its frames."""
    mesh = Mesh(bench.cluster, nodes=3, **options)
    load = mixed(mesh, 1)
    gone = mesh.nodes[0]
    bench.cluster.remove(gone.pod)
    stranger(bench.cluster.pod("stranger", gone.pod.address)).restart()
    mesh.coordinator.wait_until(
        lambda nodes: any(node["state"] == "wrong service" for node in nodes), "the stranger seen through")
    wait(2)
    run = check(bench, load)
    bench.must("the stranger gets no frames", "stranger" not in shares(run.frames), dict(shares(run.frames)))


@scenario("a pod's address is given to another service")
def reused_address(bench):
    # A classifier that listens on the detector's port.
    given_away(bench, lambda pod: Node(pod, "classifier", port=DETECTOR_PORT))


@scenario("a pod's address is given to a node of another mesh")
def other_mesh(bench):
    given_away(bench, lambda pod: Node(pod, cluster="theirs"), cluster="ours", options=["--cluster", "ours"])
