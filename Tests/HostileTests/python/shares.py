"""One peer, and what all others need: the memory budget, the event loops, the handlers of the server."""

import struct
import threading
import time
import zlib

from cases import case
from oracle import POLITE_ADDRESS
from peer import *

MIB = 1 << 20
CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"


class Clock:
    """Times small calls on connections of its own, on several loops, while a case goes on."""

    def __init__(self, attack, connections=4):
        self.notes = attack.notes
        self.peers = [attack.peer(source=POLITE_ADDRESS) for _ in range(connections)]
        self.times, self.errors, self.stops = [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(peer,)) for peer in self.peers]

    def run(self, peer):
        try:
            while not self.stops.is_set():
                started = time.monotonic()
                status = peer.call("/test.Target/Now", patience=60)
                self.times.append(time.monotonic() - started)
                if status != "0":
                    self.errors.append(status)
                peer.frames.clear(), peer.fields.clear(), peer.bodies.clear()
                time.sleep(0.005)
        except Exception as error:  # noqa: BLE001: reported
            self.errors.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stops.set()
        for thread in self.threads:
            thread.join()

    def expect(self, seconds):
        """The slowest of a hundred. Generous: the machine may be busy."""
        times = sorted(self.times)
        p99 = times[int(len(times) * 0.99)]
        if self.errors or p99 > seconds:
            raise Failure(f"others: {len(times)} calls, p99 {p99:.3f} s, limit {seconds} s; {self.errors[:3]}")
        self.notes.append(f"others {len(times)} calls p99 {p99 * 1000:.1f} ms")


def bombs(attack, path, encoding, wbits, status):
    """On all loops, all at once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    bomb = message(packer.compress(bytes(60 * MIB)) + packer.flush(), 1)
    with Clock(attack) as others:
        time.sleep(0.2)
        peers = [attack.peer() for _ in range(8)]
        streams = []
        for peer in peers:
            for _ in range(10):
                stream = peer.request(path, end=False, extra=[("grpc-encoding", encoding)])
                data = b"".join(frame(DATA, END_STREAM if at + 16384 >= len(bomb) else 0, stream, bomb[at:at + 16384])
                                for at in range(0, len(bomb), 16384))
                peer.send(data)
                streams.append((peer, stream))
        for peer, stream in streams:
            peer.expect_status(stream, status, patience=60)
        time.sleep(0.2)
    others.expect(0.5)


# 60 MiB each: 5 s of a loop, if it were done there.
for name, path, reason, status in [("health", CHECK, "message_bytes", "8"),
                                   ("handlers-of-the-loop", "/test.Target/Now", "memory_budget", "8")]:
    @case(f"G05-gzip-bombs-for-{name}", reason, budget=192 << 20)
    def _(attack, path=path, status=status):
        bombs(attack, path, "gzip", 31, status)


@case("H45-slow-calls-that-declare-much", "slow_upload", budget=96 << 20,
      arguments=["--upload-seconds", "2"])
def _(attack):
    # As much as the budget is large, at twice the rate that small messages need.
    crowd = [attack.peer() for _ in range(4)]
    slow = crowd[0]
    streams = [slow.request("/test.Target/Read", message(length=(4 << 20) - 1), end=False) for _ in range(16)]
    for peer in crowd[1:]:
        for _ in range(16):
            peer.request("/test.Target/Read", message(length=(4 << 20) - 1), end=False)
    for peer in crowd:
        peer.pump(1)
    if (used := attack.target.tally()["budget_used"]) < 16 * MIB:
        raise Failure(f"only {used} bytes are reserved: this is no attack")
    if used > 33 * MIB:
        raise Failure(f"one address has {used} of 64 MiB")
    polite = attack.peer(source=POLITE_ADDRESS)
    stream = polite.request("/test.Target/Read", message(bytes(20_000)), end=True)
    polite.expect_status(stream, "0", patience=5)
    end = time.monotonic() + 40
    while time.monotonic() < end and any(slow.status(s) == "nothing" for s in streams[:4]):
        slow.send(b"".join(frame(DATA, 0, s, bytes(1000)) for s in streams if slow.status(s) == "nothing"))
        slow.pump(0.5)
    for stream in streams[:4]:
        slow.expect_status(stream, "4")
    slow.expect_alive()


@case("G01-health-declares-a-megabyte", "message_bytes", budget=24 << 20)
def _(attack):
    peer = attack.peer()
    for path in (CHECK, WATCH, "/grpc.health.v1.Health/List"):
        stream = peer.request(path, message(length=MIB), end=False)
        peer.expect_status(stream, "8")
    peer.expect_alive()


@case("G06-tiny-attachments-that-nobody-takes", budget=96 << 20)
def _(attack):
    # Ten bytes each; what is kept of them must not be a page of memory.
    for _ in range(4):
        peer = attack.peer()
        for _ in range(120):
            stream = peer.stream()
            fields = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Hold"), (":authority", "h"),
                      ("te", "trailers"), ("content-type", "application/grpc+framemesh")]
            peer.send(frame(HEADERS, END_HEADERS, stream, peer.encoder.encode(fields, huffman=False)) +
                      frame(DATA, 0, stream, (struct.pack(">BII", 0x80, 1, 0) + b"x") * 250))
        peer.pump(0.2)


@case("G14-idle-streams-of-many-connections", "address_handlers", budget=64 << 20, arguments=["--handlers", "1600"])
def _(attack):
    # None of the connections has more than its own limit.
    peers = [attack.peer() for _ in range(10)]
    for peer in peers:
        peer.streams = [peer.request("/test.Target/Hold", end=False) for _ in range(100)]
    for peer in peers:
        peer.pump(0.2)
    statuses = [peer.status(stream) for peer in peers for stream in peer.streams]
    # Half of all; in steps, so that some connections have counted more than they run.
    if not 400 <= statuses.count("nothing") <= 800 or statuses.count("8") + statuses.count("nothing") != 1000:
        raise Failure(f"{ {status: statuses.count(status) for status in statuses} }")
    # Another address has a share of the rest.
    other = attack.peer(source=POLITE_ADDRESS)
    streams = [other.request("/test.Target/Hold", end=False) for _ in range(60)]
    other.pump(0.5)
    if any(other.status(stream) != "nothing" for stream in streams):
        raise Failure(f"others: {[other.status(stream) for stream in streams]}")
    # Who leaves makes room.
    for peer in peers[:5]:
        peer.close()
    time.sleep(0.5)
    peers[9].expect_alive()


@case("G16-health-watches-of-nothing", "health_watches", budget=64 << 20)
def _(attack):
    # Without a message: the place is taken before there is one.
    peers = [attack.peer() for _ in range(12)]
    for peer in peers:
        peer.watches = [peer.request(WATCH, end=False) for _ in range(100)]
    for peer in peers:
        peer.pump(0.2)
    statuses = [peer.status(stream) for peer in peers for stream in peer.watches]
    if statuses.count("8") < 100:
        raise Failure(f"{len(statuses)} watches, of which {statuses.count('8')} were refused")
