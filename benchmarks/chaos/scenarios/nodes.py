"""Nodes that die, hang or are ill."""

import signal
import time

from bench import RESOURCE_EXHAUSTED, UNAVAILABLE, mixed, scenario, seconds, wait
from cluster import until
from mesh import Mesh
from oracle import OK, quantile


@scenario("kill -9 a node, again and again")
def kill_nodes(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    load = mixed(mesh, 2)
    faults, noticed = [], []
    for round in range(bench.pick(4, 15)):
        node = mesh.nodes[round % 3]
        faults.append(time.monotonic())
        node.process.kill()
        mesh.coordinator.wait_until(lambda nodes: sum(one["state"] == "ready" for one in nodes) < 3, "seen to be gone")
        noticed.append(time.monotonic() - faults[-1])
        wait(1)
        node.restart()
        mesh.coordinator.wait_until_ready(3)
        wait(1)
    bench.get_load(load, mesh.nodes, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)
    # By asking the coordinator again and again, which takes a moment too.
    bench.time("detected in ≤ 1 s", max(noticed) <= 1, seconds(max(noticed)))
    struck = [frame for at in faults for frame in run.between(at - 0.1, at + 1)]
    bench.tell("slowest frame of those seconds", True, seconds(quantile(struck, 1)))


def trouble(bench, begin, end, short, full, nodes=3, settle=2.0):
    """One node of `nodes` in trouble for a while, then well again."""
    mesh = Mesh(bench.cluster, nodes=nodes)
    load = mixed(mesh, nodes - 1)
    start = time.monotonic()
    wait(bench.pick(3, 6))
    ill = mesh.nodes[0]
    at = time.monotonic()
    begin(ill)
    wait(bench.pick(short, full))
    end(ill)
    well = time.monotonic()
    bench.get_load(load, [ill], well, "the node gets load again")
    wait(bench.pick(1, 6))
    run = load.stop()
    again = min((frame.planned for frame in run.between(well) if frame.node == ill.name), default=float("inf"))
    bench.time("… in ≤ 10 s", again - well <= 10, seconds(again - well))
    bench.oracle(run)
    bench.no_failures(run)
    bench.calm(run, (start, at), (at + settle, well), f"p99 ≤ 3 × quiet after ≤ {settle:.0f} s")
    return mesh, run, at, well


@scenario("SIGSTOP a node for 20 s")
def stopped_node(bench):
    trouble(bench, lambda node: node.process.send(signal.SIGSTOP), lambda node: node.process.send(signal.SIGCONT),
            8, 20)


@scenario("black-hole a node")
def black_hole(bench):
    trouble(bench, lambda node: node.pod.black_hole(), lambda node: node.pod.heal(), 8, 20)


@scenario("a node's link goes down", short=False)
def link_down(bench):
    trouble(bench, lambda node: node.pod.link(False), lambda node: node.pod.link(True), 8, 15)


@scenario("a node becomes 100 × slower")
def slow_node(bench):
    trouble(bench, lambda node: node.process.tell("delay 2000"), lambda node: node.process.tell("delay 20"), 6, 20)


@scenario("10 % of a node's answers are errors")
def erring_node(bench):
    trouble(bench, lambda node: node.process.tell("errors 0.1"), lambda node: node.process.tell("errors 0"), 6, 20)


@scenario("a node fails all in 1 ms")
def failing_node(bench):
    def begin(node):
        node.process.tell("delay 1")
        node.process.tell("errors 1")

    def end(node):
        node.process.tell("errors 0")
        node.process.tell("delay 20")

    _, run, at, well = trouble(bench, begin, end, 6, 20)
    asked = sum(frame.attempts for frame in run.between(at + 2, well))
    total = len(run.between(at + 2, well))
    bench.must("it attracts nothing", asked <= 0.1 * total, f"{asked} attempts beside {total} frames")


@scenario("one of two nodes fails all")
def failing_of_two(bench):
    trouble(bench, lambda node: node.process.tell("errors 1"), lambda node: node.process.tell("errors 0"), 6, 20,
            nodes=2)


@scenario("all nodes fail half of their frames")
def all_ill(bench):
    mesh = Mesh(bench.cluster, nodes=3)
    for node in mesh.nodes:
        node.process.tell("errors 0.5")
    load = mesh.load(unary_rate=60, deadline=5000)
    start = time.monotonic()
    wait(bench.pick(6, 15))
    bench.get_load(load, mesh.nodes, start, "each still gets load")
    for node in mesh.nodes:
        node.process.tell("errors 0")
    well = time.monotonic()
    load.until_answered(100, well + 5)
    run = load.stop()
    bench.oracle(run)
    ill, after = run.between(start + 2, well), run.between(well + 5)
    answered = len([frame for frame in ill if frame.result == OK])
    bench.must("at least 40 % is answered", answered >= 0.4 * len(ill), f"{answered} of {len(ill)}")
    bench.must("ejections leave some to ask", not [frame for frame in ill if "no endpoint" in frame.cause],
               f"codes {sorted({frame.code for frame in ill})}")
    late = [frame for frame in after if frame.result != OK]
    bench.must("all is well after that", after and not late, f"{len(late)} of {len(after)} failed")


@scenario("nodes whose clocks are an hour ahead")
def clocks(bench):
    mesh = Mesh(bench.cluster, nodes=2, hours_ahead=1)
    load = mixed(mesh, 2)
    bench.get_load(load, mesh.nodes, time.monotonic())
    run = load.stop()
    bench.oracle(run)
    bench.no_failures(run)


@scenario("a node flaps: away for 0.5 s of each second")
def flapping_node(bench):
    def flap(node):
        for _ in range(bench.pick(6, 15)):
            node.pod.black_hole()
            wait(0.5)
            node.pod.heal()
            wait(0.5)

    trouble(bench, flap, lambda node: None, 0, 0)


def says_why(frame):
    """There is nobody; or the frame was with both nodes when they went, and might have been the reason."""
    return frame.code == UNAVAILABLE and "no endpoint" in frame.cause or "two endpoints were lost" in frame.cause


@scenario("all nodes are down for 10 s")
def all_down(bench):
    # A node's own default.
    mesh = Mesh(bench.cluster, nodes=2, queue=64)
    # Longer than a coordinator waits for a node.
    load = mesh.load(unary_rate=20, deadline=7000)
    streams = mesh.load(streams=2, stream_rate=10, deadline=30_000)
    load.until_answered(10)
    streams.until_answered(10)
    for node in mesh.nodes:
        node.process.kill()
    wait(10)
    for node in mesh.nodes:
        node.start()
    for node in mesh.nodes:
        node.ready()
    back = time.monotonic()
    for one in load, streams:
        one.until_answered(20, back + 3)
    runs = [load.stop(), streams.stop()]
    bench.oracle(*runs)
    unary = runs[0]
    failed = unary.failed()
    early = [frame for frame in failed if frame.end < back]
    bench.must("UNAVAILABLE that says why", early and all(says_why(frame) for frame in early),
        f"{len(early)}; {early[0].code} {early[0].cause}" if early else "none failed")
    first = min((frame.end for frame in unary.answered(back)), default=float("inf"))
    # Others had waited for as long as they may when the first node was found.
    waiting = [frame for frame in unary.frames if first - 4.9 < frame.planned < back <= frame.end]
    lost = [frame for frame in waiting if frame.result != OK]
    bench.time("what still waits is done when they return", waiting and not lost, f"{len(lost)} of {len(waiting)} failed")
    waited = max((frame.latency for frame in failed), default=0)
    bench.time("within the deadline of 7 s", waited <= 7.1, seconds(waited))
    bench.time("answers again in < 1 s", first - back < 1, seconds(first - back))
    after = unary.between(back + 3)
    late = [frame for frame in after if frame.result != OK]
    bench.must("all is well after that", after and not late, f"{len(late)} of {len(after)} failed")
    held = [frame for frame in runs[1].frames if frame.result != OK]
    bench.must("streams wait it out or are told why", all(says_why(frame) for frame in held),
               f"{len(held)} failed")


def attempts(bench, mesh, rate, begin=lambda: None):
    """Attempts at nodes beside calls, once the first seconds are over. Returns the frames of those calls."""
    begin()
    first = mesh.load(unary_rate=rate, deadline=5000, seconds=4).end()
    before = mesh.coordinator.calls(), mesh.coordinator.taken()
    run = mesh.load(unary_rate=rate, deadline=5000, seconds=bench.pick(6, 15)).end()
    made = mesh.coordinator.calls() - before[0]
    # What nodes say of themselves comes a little later.
    until(lambda: mesh.coordinator.taken() - before[1] >= made, 10)
    taken = mesh.coordinator.taken() - before[1]
    bench.oracle(first, run)
    asked = len(run.frames)
    bench.must("attempts ≤ 1.1 × calls", max(made, taken) <= 1.1 * asked,
               f"{made} for {asked}: {made / asked:.2f} ×; the nodes say {taken}")
    return run


@scenario("all nodes fail all: attempts beside calls")
def retry_amplification(bench):
    mesh = Mesh(bench.cluster, nodes=3)

    def begin():
        for node in mesh.nodes:
            node.process.tell("delay 1")
            node.process.tell("errors 1")

    run = attempts(bench, mesh, 150, begin)
    bench.must("they fail", run.failed(), len(run.failed()))


@scenario("all nodes full: attempts beside calls")
def refused_amplification(bench):
    mesh = Mesh(bench.cluster, nodes=3, queue=2, delay=0.1)
    refused = attempts(bench, mesh, 300).failed()
    codes = {frame.code for frame in refused}
    bench.must("what is not done is RESOURCE_EXHAUSTED", codes == {RESOURCE_EXHAUSTED}, f"{len(refused)}, {codes}")
