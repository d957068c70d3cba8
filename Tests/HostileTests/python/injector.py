"""injector.py --list | injector.py CASE… TARGET

Runs cases, or all whose names begin so (`H28`), or `all`, against the program hostile-target, one after the other.
"""

import sys
import time
import traceback

import endings  # noqa: F401
import floods  # noqa: F401
import flow_control  # noqa: F401
import frames  # noqa: F401
import grpc_calls  # noqa: F401
import handshake  # noqa: F401
import headers  # noqa: F401
import oracle
import reflection  # noqa: F401
import shares  # noqa: F401
from cases import ALL


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(dict.fromkeys(name.split("-")[0] for name in ALL)))
        return 0
    *names, program = sys.argv[1:]
    chosen = [name for name in ALL if name in names or "all" in names or any(name.startswith(n + "-") for n in names)]
    failures = 0 if chosen else 1
    stand = oracle.Stand(program)
    for name in chosen:
        started = time.monotonic()
        try:
            print(f"ok   {name}: {stand.run(ALL[name])}; all in {time.monotonic() - started:.1f} s", flush=True)
        except Exception as error:  # noqa: BLE001: reported
            failures += 1
            text = str(error) if isinstance(error, oracle.Failure) else traceback.format_exc()
            print(f"FAIL {name}: {text}; after {time.monotonic() - started:.1f} s", flush=True)
    try:
        stand.end()
    except oracle.Failure as error:
        failures += 1
        print(f"FAIL {chosen[-1]} at the end: {error}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
