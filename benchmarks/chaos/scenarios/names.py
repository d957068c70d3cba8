"""Name servers that are away, slow or lie."""

import time

from bench import mixed, scenario, wait
from mesh import DETECTOR_PORT, Mesh, Node
from oracle import shares


@scenario("DNS server down, hung, lying, flapping")
def dns(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    server = bench.cluster.dns
    wait(2)
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
    # Nobody lives there, and one who is no detector.
    lie = ["10.77.200.1", mesh.coordinators[0].pod]
    mesh.publish(detectors=mesh.nodes[:2] + lie)
    wait(away)
    believed = {node["address"].rpartition(":")[0] for node in mesh.state() or []}
    bench.must("the lie was told", lie[0] in believed, sorted(believed))
    for _ in range(bench.pick(4, 10)):
        mesh.publish(detectors=[])
        wait(0.5)
        mesh.publish()
        wait(0.5)
    wait(9)
    end = time.monotonic()
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("all nodes get load at the end", len(shares(run.between(end - 2, end))) == 3,
               dict(shares(run.between(end - 2, end))))
    said = mesh.coordinators[0].process.text().count("keeping the last endpoints")
    bench.must("trouble is said once, not each second", 1 <= said <= 12, f"{said} lines")


@scenario("a thousand addresses", short=False)
def many_addresses(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    load = mixed(mesh, 2)
    wait(2)
    mesh.publish(detectors=mesh.nodes + [f"10.77.{200 + index // 250}.{index % 250 + 1}" for index in range(1000)])
    wait(15)
    mesh.publish()
    wait(6)
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)


@scenario("a pod's address is given to another service")
def reused_address(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 1)
    wait(3)
    gone = mesh.nodes[0]
    bench.cluster.remove(gone.pod)
    # A classifier that listens on the detector's port.
    Node(bench.cluster.pod("stranger", gone.pod.address), "classifier", port=DETECTOR_PORT).restart()
    wait(8)
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    bench.must("the stranger gets no frames", "stranger" not in shares(run.frames), dict(shares(run.frames)))
