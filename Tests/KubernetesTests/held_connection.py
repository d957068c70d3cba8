"""A connection to a pod that is held open until the pod ends it, frame by frame. Says what comes, a line each:

    health SERVING, GOAWAY LAST-STREAM, health NOT_SERVING, GOAWAY LAST-STREAM, closed

    python held_connection.py ADDRESS PORT
"""

import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "HostileTests" / "python"))

from peer import GOAWAY, NO_ERROR, PING, Peer, message, ping  # noqa: E402

# Until somebody has the pod end, and until it does.
PATIENCE = 600
STATUSES = {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}


def say(*words):
    print(*words, flush=True)


def health(peer):
    stream = peer.request("/grpc.health.v1.Health/Check", message())
    assert peer.answer(stream) == "0", peer.status(stream)
    return STATUSES[peer.bodies[stream][len(message()):]]


def goaway(peer, number):
    """Last stream of the GOAWAY that comes as this one."""
    frames = lambda: [got for got in peer.frames if got.kind == GOAWAY]  # noqa: E731
    peer.wait(lambda _: len(frames()) >= number, PATIENCE, "GOAWAY")
    got = frames()[number - 1]
    assert got.code == NO_ERROR, got
    return struct.unpack_from(">I", got.payload)[0]


def main(address, port):
    peer = Peer(int(port), host=address)
    # The answer to the PING after the first GOAWAY is held back: calls that are on their way meanwhile are served.
    peer.acknowledges = False
    say("health", health(peer))
    say("GOAWAY", goaway(peer, 1))
    say("health", health(peer))
    peer.send(ping(peer.wait(lambda got: got.kind == PING, PATIENCE, "PING").payload, ack=True))
    say("GOAWAY", goaway(peer, 2))
    peer.wait_for_close(PATIENCE)
    say("closed")


if __name__ == "__main__":
    main(*sys.argv[1:])
