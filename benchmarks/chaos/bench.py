"""What scenarios are made of: a `Bench` that takes what was measured, and questions that most of them ask."""

import time

from mesh import NODE_RATE
from oracle import quantile, shares

UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED = 14, 4, 8

ALL = []


def scenario(fault, short=True):
    def register(function):
        function.title, function.fault = function.__name__.replace("_", "-"), fault
        function.short = short
        ALL.append(function)
        return function
    return register


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


class Bench:
    """One scenario's measurements."""

    def __init__(self, cluster, is_short, findings):
        self.cluster = cluster
        self.is_short = is_short
        self.findings = findings

    def pick(self, short, full):
        """Seconds, rounds and so on, of the short version and of the full one."""
        return short if self.is_short else full

    def must(self, what, is_true, measured):
        """Decides, in the short version too: a count, an order, a content."""
        self.findings.append((what, bool(is_true), str(measured), True))

    def time(self, what, is_true, measured):
        """A time or a rate: decides in the full version only."""
        self.findings.append((what, bool(is_true), str(measured), not self.is_short))

    def tell(self, what, is_true, measured):
        """Decides nothing."""
        self.findings.append((what, bool(is_true), str(measured), False))

    # ---- what most scenarios ask ----

    def oracle(self, *runs):
        violations = [text for run in runs for text in run.violations()]
        frames = sum(len(run.frames) for run in runs)
        self.must("each frame exactly once, in order, its own content", not violations,
                  f"{frames} frames" + "".join(f"; {text}" for text in violations[:3]))

    def get_load(self, load, nodes, since, what="all get load"):
        """Waits until each of them has answered some frames that were to be sent since then."""
        names = [node.name for node in nodes]
        load.until_answered(3, since, by=names)
        count = shares(load.so_far().between(since))
        self.must(what, all(count[name] for name in names), dict(count))

    def no_failures(self, run):
        failed = run.failed()
        shown = f": {failed[0]}" if failed else ""
        self.must("0 failed calls", not failed, f"{len(failed)} of {len(run.frames)}{shown}")
        self.must("0 broken streams", not run.broken,
                  f"{len(run.broken)}" + (f": {run.broken[0]['cause']}" if run.broken else ""))

    def calm(self, run, quiet, disturbed, what="p99 ≤ 3 × quiet", factor=3, share=0.99):
        """`quiet`, `disturbed`: from and to."""
        before = quantile(run.between(*quiet), share)
        during = quantile(run.between(*disturbed), share)
        self.time(what, during <= factor * before, f"{seconds(during)}, quiet {seconds(before)}")


def mixed(mesh, nodes, share=0.4, **options):
    """Half of it streams, one of them tracked, half of it unary calls; together `share` of what `nodes` nodes can do.

    It runs well when this returns.
    """
    rate = share * nodes * NODE_RATE
    load = mesh.load(streams=4, tracked=1, stream_rate=rate / 8, unary_rate=rate / 2, **options)
    load.until_answered(10)
    return load


def wait(period):
    time.sleep(period)
    return time.monotonic()
