"""How a case is declared."""

import os

# 1 in CI, 10 in `make test-full`: how many frames, calls and connections a case sends.
SCALE = int(os.environ.get("HOSTILE_SCALE", "1"))
# How long a soak lasts; 0: there is none.
SOAK_SECONDS = int(os.environ.get("HOSTILE_SOAK_SECONDS", "0"))
ALL = {}


class Case:
    def __init__(self, name, body, reason, budget, arguments, descriptors, rests):
        self.name, self.body, self.reason = name, body, reason
        self.budget, self.arguments, self.descriptors, self.rests = budget, arguments, descriptors, rests


def case(name, reason="", budget=48 << 20, arguments=(), descriptors=None, rests=False):
    """`reason`: the counter that must move, or several of which one must, split by `|`. `budget`: of memory, above what
    the process had. `descriptors`: how many it may have open; None: as many as we. `rests`: the peer waits for most of
    the time, for seconds, so the process has next to nothing to do."""

    def add(body):
        assert name not in ALL, name
        ALL[name] = Case(name, body, reason, budget, arguments, descriptors, rests)
        return body

    return add
