"""More than can be done, and clients that take more than their share."""

import time

from bench import DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, scenario, seconds, wait
from mesh import Mesh
from oracle import OK, quantile


@scenario("10 × overload for 60 s")
def overload(bench):
    # Few frames a second, so that this machine's cores are not what is overloaded.
    delay, queue = 0.080, 16
    capacity = 2 * 2 / delay
    mesh = Mesh(bench.cluster, nodes=2, delay=delay, queue=queue)
    peak = mesh.load(unary_rate=1.2 * capacity, deadline=2000, seconds=bench.pick(6, 10)).end(30)
    full = len(peak.answered(peak.frames[0].planned + 2, peak.frames[-1].planned)) / (
        peak.frames[-1].planned - peak.frames[0].planned - 2)
    calm = mesh.load(unary_rate=0.4 * capacity, deadline=2000)
    calm.until_answered(10)
    start = wait(3)
    storm = mesh.load(unary_rate=10 * capacity, deadline=2000, seconds=bench.pick(15, 60))
    watched = mesh.coordinators + mesh.nodes
    wait(bench.pick(5, 15))
    early = {one.name: one.process.resident() for one in watched}
    wait(bench.pick(9, 44))
    late = {one.name: one.process.resident() for one in watched}
    stormy = storm.end(30)
    over = stormy.frames[-1].end
    begun, ended = stormy.frames[0].planned, max(frame.planned for frame in stormy.frames)
    bench.must("answers come again", calm.until_answered(100, over + 1), "")
    polite = calm.stop()
    bench.oracle(peak, polite, stormy)
    good = (len(stormy.answered(begun + 2, ended)) + len(polite.answered(begun + 2, ended))) / (ended - begun - 2)
    bench.time("goodput ≥ 90 % of peak", good >= 0.9 * full, f"{good:.1f}/s of {full:.1f}/s")
    refused = [frame for frame in stormy.frames if frame.result != OK]
    codes = {frame.code for frame in refused}
    bench.must("the rest is refused or late, and told so", codes <= {RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED},
               f"{len(refused)} of {len(stormy.frames)}, codes {sorted(codes)}")
    growth = max(late[name] - early[name] for name in early)
    bench.must("memory flat", growth <= 64 << 20, f"{growth / (1 << 20):.1f} MiB more at the end")
    after = [frame for frame in polite.between(over + 1) if frame.result != OK]
    bench.time("all is well 1 s after it", not after, f"{len(after)} failed")
    before, then = quantile(polite.between(start - 2, start), 0.99), quantile(polite.between(over + 1), 0.99)
    bench.time("recovered in < 1 s: p99 ≤ 3 × quiet", then <= 3 * before,
               f"{seconds(then)}, quiet {seconds(before)}")


@scenario("a client with 200 connections beside a polite one", short=False)
def greedy(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    polite = mesh.load(unary_rate=20, deadline=5000)
    polite.until_answered(10)
    start = time.monotonic()
    at = wait(5)
    crowd = mesh.load(unary_rate=400, clients=200, deadline=5000, seconds=bench.pick(8, 20))
    begun = crowd.start
    other = crowd.end(60)
    run = polite.stop()
    bench.oracle(run, other)
    bench.no_failures(run)
    bench.calm(run, (start, at), (begun, begun + bench.pick(8, 20)), "polite p99 ≤ 2 × quiet", factor=2)


@scenario("one stalled camera among 16")
def stalled_camera(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    load = mesh.load(streams=15, stream_rate=4)
    load.until_answered(10)
    start = time.monotonic()
    at = wait(bench.pick(4, 6))
    stalled = mesh.load(streams=1, stream_rate=30, stall_after=20, policy="latest")
    wait(bench.pick(8, 30))
    run = load.stop()
    end = time.monotonic()
    other = stalled.stop()
    bench.oracle(run, other)
    bench.no_failures(run)
    read = [frame.end for frame in other.frames]
    bench.must("it is stalled, and its frames too are answered", len(read) > 20 and max(read) > end,
               f"{len(read)}, {len([one for one in read if one > end])} of them after the stall")
    bench.calm(run, (start, at), (at + 2, end), "others' p99 ≤ 2 × quiet", factor=2)


@scenario("one 4K camera among 15 small ones", short=False)
def large_camera(bench):
    mesh = Mesh(bench.cluster, nodes=2)
    small = mesh.load(streams=15, stream_rate=4)
    small.until_answered(10)
    start = time.monotonic()
    at = wait(6)
    large = mesh.load(streams=1, stream_rate=4, side=2880, policy="latest", seconds=bench.pick(8, 20))
    begun = large.start
    other = large.end(60)
    end = time.monotonic()
    run = small.stop()
    bench.oracle(run, other)
    bench.no_failures(run)
    bench.calm(run, (start, at), (begun, end), "small ones' p99 ≤ 2 × quiet", factor=2)
