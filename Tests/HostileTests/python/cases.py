"""How a case is declared."""

import os

# 1 in CI; the counts of the checklist are reached at 10 and more (`make test-full`).
SCALE = int(os.environ.get("HOSTILE_SCALE", "1"))
ALL = {}


class Case:
    def __init__(self, name, body, reason, budget, arguments, has_friend):
        self.name, self.body, self.reason = name, body, reason
        self.budget, self.arguments, self.has_friend = budget, arguments, has_friend


def case(name, reason="", budget=48 << 20, arguments=(), has_friend=True):
    """`reason`: the counter that must move, or several of which one must, split by `|`."""

    def add(body):
        assert name not in ALL, name
        ALL[name] = Case(name, body, reason, budget, arguments, has_friend)
        return body

    return add
