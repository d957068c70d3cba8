"""Where the programs under test are, and how long tests wait for them."""

import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FRAMEMESH = ROOT / ".build/release/framemesh"
DEMO = ROOT / "Sources/framemesh/Resources/demo"
# Nothing here takes nearly as long; a machine with other things to do may.
PATIENCE = 180


def until(what, condition, patience=PATIENCE):
    """What `condition` gives once it gives something."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {patience} s: {what}")
        time.sleep(0.1)
