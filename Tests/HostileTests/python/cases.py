"""How a case is declared."""

import os

# 1 in CI, 10 in `make test-full`: how many frames, calls and connections a case sends.
SCALE = int(os.environ.get("HOSTILE_SCALE", "1"))
# How long a soak lasts; 0: there is none.
SOAK_SECONDS = int(os.environ.get("HOSTILE_SOAK_SECONDS", "0"))
ALL = {}


class Case:
    def __init__(self, name, body, reason, budget, arguments, descriptors):
        self.name, self.body, self.reason = name, body, reason
        self.budget, self.arguments, self.descriptors = budget, arguments, descriptors


def case(name, reason="", budget=48 << 20, arguments=(), descriptors=None):
    """`reason`: the counter that must move, or several of which one must, split by `|`. `descriptors`: how many the
    process may have open; None: as many as we."""

    def add(body):
        assert name not in ALL, name
        ALL[name] = Case(name, body, reason, budget, arguments, descriptors)
        return body

    return add
