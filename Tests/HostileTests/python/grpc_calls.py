"""gRPC servers: messages, metadata, time, states (G01 to G16)."""

import random
import resource
import struct
import time
import zlib

from cases import SCALE, case
from oracle import POLITE_ADDRESS
from peer import *

MIB = 1 << 20


def refused(attack, body, *statuses, path="/test.Target/Read", extra=(), end=False):
    """A call with these bytes ends in one of these statuses, and the connection goes on."""
    peer = attack.peer()
    started = time.monotonic()
    stream = peer.request(path, body, extra, end=end)
    peer.expect_status(stream, *statuses)
    took = time.monotonic() - started
    peer.expect_alive()
    return took


# ---- messages ----

for name, length in {"4-GiB": 0xFFFFFFFF, "limit-and-1": 4 * MIB + 64 * MIB + 1}.items():
    @case(f"G01-length-of-{name}", "message_bytes", budget=24 << 20)
    def _(attack, length=length):
        refused(attack, message(length=length), "8")


@case("G01-many-large-lengths-reserve-nothing", budget=24 << 20)
def _(attack):
    # Within the limit, so memory is promised to them; it must not be taken before it is needed.
    peer = attack.peer()
    for _ in range(100):
        peer.request("/test.Target/Read", message(length=4 * MIB), end=False)
    time.sleep(1)


@case("G02-messages-cut-anywhere")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    for byte in message(b"abc"):
        peer.send(frame(DATA, 0, stream, bytes([byte])))
        peer.pump(0.01)
    peer.send(frame(DATA, 0, stream, message(b"de") * 1000))
    body = message(bytes(100_000))
    for at in range(0, len(body), 1000):
        peer.send(frame(DATA, 0, stream, body[at:at + 1000]))
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")
    if peer.bodies[stream][5:] != b"1002 102003":
        raise Failure(peer.bodies[stream])


for name, body in {"inside-a-prefix": b"\0\0\0", "inside-a-message": message(b"ab", length=5)}.items():
    @case(f"G03-end-{name}", "malformed_call")
    def _(attack, body=body):
        refused(attack, body, "13", end=True)

for name, body in {"none": b"", "two": message(b"a") * 2, "one-and-a-bit": message(b"a") + b"\0\0"}.items():
    @case(f"G03-unary-with-{name}", "malformed_call")
    def _(attack, body=body):
        begun = lambda: attack.target.tally().get("work_begun", 0)
        before = begun()
        refused(attack, body, "13", "12", path="/test.Target/Work", end=True)
        if begun() != before:
            raise Failure("a handler ran")


@case("G04-unknown-flags", "malformed_call")
def _(attack):
    peer = attack.peer()
    for flags in [2, 3, 4, 64, 127, 128, 129, 254, 255]:
        stream = peer.request("/test.Target/Read", message(b"x", flags))
        peer.expect_status(stream, "13")
    peer.expect_alive()


@case("G04-compressed-without-encoding", "malformed_call")
def _(attack):
    refused(attack, message(b"x", 1), "13")


@case("G04-compressed-identity", "malformed_call")
def _(attack):
    refused(attack, message(b"x", 1), "13", extra=[("grpc-encoding", "identity")])


@case("G04-unknown-encoding")
def _(attack):
    refused(attack, message(b"x", 1), "12", extra=[("grpc-encoding", "snappy")])


def deflated(size, wbits):
    """`size` zeros, a thousand times as many as bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    chunk = bytes(MIB)
    return b"".join(packer.compress(chunk) for _ in range(size // MIB)) + packer.flush()


def bomb(attack, encoding, body, *statuses):
    peer = attack.peer()
    for _ in range(5):
        stream = peer.request("/test.Target/Read", end=False, extra=[("grpc-encoding", encoding)])
        data = message(body, 1)
        for at in range(0, len(data), 16384):
            piece = data[at:at + 16384]
            if peer.status(stream) != "nothing" or not credited(peer, stream, len(piece)):
                break
            peer.send(frame(DATA, 0 if at + 16384 < len(data) else END_STREAM, stream, piece))
        peer.expect_status(stream, *statuses)
    peer.expect_alive()


@case("G05-gzip-bomb", "message_bytes|memory_budget", budget=192 << 20)
def _(attack):
    bomb(attack, "gzip", deflated(128 * SCALE * MIB, 31), "8")


@case("G05-deflate-bomb", "message_bytes|memory_budget", budget=192 << 20)
def _(attack):
    bomb(attack, "deflate", deflated(128 * SCALE * MIB, 15), "8")


@case("G05-nested-gzip", budget=192 << 20)
def _(attack):
    # What is inside is nobody's to inflate.
    bomb(attack, "gzip", zlib.compress(deflated(64 * SCALE * MIB, 31), 9, 31), "0")


@case("G05-a-thousand-members", budget=192 << 20)
def _(attack):
    bomb(attack, "gzip", zlib.compress(b"x", 9, 31) * 1000, "13")


@case("G06-empty-message-flood", "empty_messages")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    data = frame(DATA, 0, stream, bytes(16380))
    for _ in range(400 * SCALE):
        if peer.status(stream) != "nothing" or not credited(peer, stream, 16380):
            break
        peer.send(data)
    peer.expect_status(stream, "8")
    peer.expect_alive()


@case("G06-many-small-messages-that-nobody-takes", budget=96 << 20)
def _(attack):
    # A window of five-byte messages on each stream: what is kept of them must not be many times their bytes.
    peer = attack.peer()
    for _ in range(100):
        stream = peer.request("/test.Target/Hold", end=False)
        for _ in range(15):
            peer.send(frame(DATA, 0, stream, message(b"x") * 2730))
    time.sleep(1)


# ---- metadata and time ----

for name, value in {"empty": "", "without-unit": "1", "unknown-unit": "1X", "negative": "-1S", "9-digits": "123456789S",
                    "space": "1 S", "hex": "0x1S", "plus": "+1S"}.items():
    @case(f"G07-timeout-{name}", "malformed_call")
    def _(attack, value=value):
        refused(attack, message(b"x"), "13", "3", path="/test.Target/Echo", extra=[("grpc-timeout", value)], end=True)


@case("G07-timeout-of-a-millennium")
def _(attack):
    refused(attack, message(b"x"), "0", path="/test.Target/Echo", extra=[("grpc-timeout", "99999999H")], end=True)


@case("G07-timeout-of-0")
def _(attack):
    begun = attack.target.tally().get("work_begun", 0)
    peer = attack.peer()
    for _ in range(50):
        stream = peer.request("/test.Target/Work", message(b"60000"), extra=[("grpc-timeout", "0n")])
        peer.expect_status(stream, "4")
    peer.expect_alive()
    if (now := attack.target.tally().get("work_begun", 0)) != begun:
        raise Failure(f"{now - begun} handlers began")


def http_status(attack, status, **request):
    peer = attack.peer()
    stream = peer.stream()
    fields = [(":method", request.get("method", "POST")), (":scheme", "http"),
              (":path", request.get("path", "/test.Target/Echo")), (":authority", "h")]
    if request.get("type"):
        fields.append(("content-type", request["type"]))
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.encoder.encode(fields, huffman=False)))
    peer.wait(lambda f: f.stream == stream and f.flags & END_STREAM)
    if peer.fields[stream][":status"] != status:
        raise Failure(f"{peer.fields[stream]}")
    peer.expect_alive()


@case("G08-no-content-type", "not_grpc")
def _(attack):
    http_status(attack, "415")


@case("G08-json", "not_grpc")
def _(attack):
    http_status(attack, "415", type="application/json")


@case("G08-grpcfoo", "not_grpc")
def _(attack):
    http_status(attack, "415", type="application/grpcfoo")


@case("G08-get", "not_grpc")
def _(attack):
    http_status(attack, "405", method="GET", type="application/grpc")


@case("G08-root-is-200")
def _(attack):
    http_status(attack, "200", method="GET", path="/")


for name, path in {"unknown": "/a.B/C", "double-slash": "//test.Target/Echo", "dots": "/test.Target/../test.Target/Echo",
                   "percent": "/test.Target%2fEcho", "only-slash": "/", "query": "/test.Target/Echo?x=1",
                   "long": "/" + "x" * 15_000}.items():
    @case(f"G08-path-{name}")
    def _(attack, path=path):
        refused(attack, message(b"x"), "12", path=path, end=True)


@case("G09-without-te")
def _(attack):
    peer = attack.peer()
    stream = peer.stream()
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Echo"), (":authority", "h"),
              ("content-type", "application/grpc")]
    peer.send(frame(HEADERS, END_HEADERS, stream, peer.encoder.encode(fields)) +
              frame(DATA, END_STREAM, stream, message(b"x")))
    peer.expect_status(stream, "0", "13", "3")
    peer.expect_alive()


for name, (field, status) in {
    "not-base64": (("x-a-bin", "!!!!"), "13"), "base64-of-1": (("x-a-bin", "A"), "13"),
    "padding-inside": (("x-a-bin", "A=A="), "13"), "empty": (("x-a-bin", ""), "0"), "non-ascii": (("x-a", "\u00fc\u00fc"), "0"),
}.items():
    @case(f"G10-metadata-{name}")
    def _(attack, field=field, status=status):
        peer = attack.peer()
        stream = peer.stream()
        peer.send(frame(HEADERS, END_HEADERS, stream, peer.block() + literal(*field)) +
                  frame(DATA, END_STREAM, stream, message(b"x")))
        peer.expect_status(stream, status)
        peer.expect_alive()


# Each comma is a value that costs one byte, and next to nothing once the field is in the table.
@case("G10-metadata-of-commas", "metadata")
def _(attack):
    peer = attack.peer()
    # Not by the encoder: its table does not know of ours.
    head = b"".join(literal(*field) for field in (
        (":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Echo"), (":authority", "h"),
        ("content-type", "application/grpc")))
    for number in range(100):
        stream = peer.stream()
        commas = b"\xbe" * 3 if number else literal("x-a-bin", "," * 4000, index=True)
        peer.send(frame(HEADERS, END_HEADERS, stream, head + commas) + frame(DATA, END_STREAM, stream, message(b"x")))
        peer.expect_status(stream, "8")
    peer.expect_alive()


@case("G10-metadata-of-16-KiB", "metadata")
def _(attack):
    refused(attack, message(b"x"), "8", path="/test.Target/Echo", extra=[("x-a", "v" * 16_300)], end=True)


@case("G11-reserved-metadata")
def _(attack):
    fields = [("grpc-status", "5"), ("grpc-message", "no"), ("grpc-internal", "x"), ("framemesh-framing", "attachments/1; x")]
    refused(attack, message(b"x"), "0", path="/test.Target/Echo", extra=fields, end=True)


# ---- states ----

@case("G12-cancel-in-every-state", budget=96 << 20)
def _(attack):
    dice = random.Random(12)
    peer = attack.peer()
    for number in range(1000 * SCALE):
        path = "/test.Target/" + dice.choice(["Echo", "Now", "Wait", "Work", "Read", "Hold", "Flood", "Chat"])
        stream = peer.stream()
        parts = [frame(HEADERS, END_HEADERS, stream, peer.block(path))]
        parts += [frame(DATA, 0, stream, message(b"20 20")[:dice.randrange(1, 9)])]
        parts += [frame(DATA, 0, stream, message(b"50"))]
        parts += [frame(DATA, END_STREAM, stream)]
        peer.send(b"".join(parts[:dice.randrange(1, 5)]))
        if dice.random() < 0.5:
            peer.pump(dice.random() * 0.004)
        peer.send(rst(stream))
        if number % 100 == 99:
            peer.frames.clear()
            peer.bodies.clear()
            # The budget of resets is per second, and is not the matter here.
            peer.pump(0.3)
        if peer.is_closed:
            raise Failure(f"the connection ended: {peer.frames[-3:]}")
    time.sleep(0.2)
    peer.expect_alive()


def held(attack, extra=()):
    """A peer with requests that have come whole and wait: answers of 32 MiB cannot leave. Returns it, those, and how
    many handlers had begun."""
    peer = attack.peer({4: 0})
    for _ in range(16):
        peer.request("/test.Target/Give", message(b"0 2097152"))
    peer.pump(0.5)
    begun = attack.target.tally().get("work_begun", 0)
    waiting = [peer.request("/test.Target/Work", message(b"10"), extra) for _ in range(50)]
    peer.pump(0.5)
    if (now := attack.target.tally().get("work_begun", 0)) != begun:
        raise Failure(f"{now - begun} of them were not held")
    return peer, waiting, begun


def release(attack, peer, begun):
    """Takes what waits to be sent. None of what was queued behind it may begin."""
    peer.send(settings({4: 0x7FFFFFFF}) + window(0, 0x7FFF0000 - 65535))
    peer.expect_status(1, "0")
    peer.expect_alive()
    if (now := attack.target.tally().get("work_begun", 0)) != begun:
        raise Failure(f"{now - begun} handlers began although their calls had ended")


@case("G12-cancelled-while-queued", budget=96 << 20)
def _(attack):
    peer, waiting, begun = held(attack)
    peer.send(b"".join(rst(stream) for stream in waiting))
    peer.pump(0.2)
    release(attack, peer, begun)


@case("G13-deadline-while-queued", budget=96 << 20)
def _(attack):
    peer, waiting, begun = held(attack, [("grpc-timeout", "1500m")])
    for stream in waiting:
        peer.expect_status(stream, "4")
    release(attack, peer, begun)


@case("G12-connections-end-in-every-state", budget=96 << 20)
def _(attack):
    dice = random.Random(13)
    for _ in range(100 * SCALE):
        peer = Peer(attack.port)
        for path in ["Echo", "Wait", "Work", "Read", "Hold", "Flood", "Chat"]:
            peer.request("/test.Target/" + path, message(b"100 1000"), end=dice.random() < 0.5)
        peer.pump(dice.random() * 0.01)
        peer.close()


@case("G13-deadlines-in-every-state", budget=96 << 20)
def _(attack):
    dice = random.Random(14)
    peer = attack.peer()
    streams = []
    for _ in range(300 * SCALE):
        path = "/test.Target/" + dice.choice(["Wait", "Work", "Read", "Hold", "Chat"])
        timeout = [("grpc-timeout", f"{dice.randrange(1, 50)}m")]
        body = message(b"500")[:dice.randrange(1, 9)]
        streams.append(peer.request(path, body, timeout, end=False))
        if len(streams) == 100:
            for stream in streams:
                peer.expect_status(stream, "4", f"RST {REFUSED_STREAM}")
            streams.clear()
    peer.expect_alive()


@case("G14-idle-streams", budget=64 << 20)
def _(attack):
    peers = [attack.peer() for _ in range(20 * SCALE)]
    for peer in peers:
        for _ in range(100):
            peer.request("/test.Target/Hold", end=False)
    time.sleep(0.5)


@case("G16-health-watches", "health_watches", budget=64 << 20)
def _(attack):
    peers = [attack.peer() for _ in range(12)]
    for peer in peers:
        peer.watches = [peer.request("/grpc.health.v1.Health/Watch", message(b"")) for _ in range(100)]
    for peer in peers:
        peer.pump(0.2)
    statuses = [peer.status(stream) for peer in peers for stream in peer.watches]
    if statuses.count("8") < 100:
        raise Failure(f"{len(statuses)} watches, of which {statuses.count('8')} were refused")
    # Another address has a share of the rest.
    other = attack.peer(source=POLITE_ADDRESS)
    streams = [other.request("/grpc.health.v1.Health/Watch", message(b"")) for _ in range(100)]
    other.pump(0.5)
    if any(other.status(stream) != "nothing" for stream in streams):
        raise Failure(f"others: {[other.status(stream) for stream in streams]}")


@case("G16-unknown-services")
def _(attack):
    peer = attack.peer()
    name = b"\x0a\x05other"
    if (status := peer.call("/grpc.health.v1.Health/Check", name)) != "5":
        raise Failure(f"Check: {status}")
    stream = peer.request("/grpc.health.v1.Health/Watch", message(name))
    peer.wait(lambda f: f.kind == DATA and f.stream == stream, what="status")
    if peer.bodies[stream] != message(b"\x08\x03") or peer.status(stream) != "nothing":
        raise Failure(f"Watch: {peer.bodies[stream]} {peer.status(stream)}")


@case("G16-health-messages-that-are-none", "protobuf")
def _(attack):
    peer = attack.peer()
    for body in [b"\xff", b"\x0a\x05a", b"\x0a\x02a\0", b"\x0a\x02\xff\xfe", b"\x0b\x0c", bytes(2000), b"\x78\x01" * 400]:
        status = peer.call("/grpc.health.v1.Health/Check", body)
        if status not in ("3", "0", "8"):
            raise Failure(f"{body[:10]}: {status}")
    peer.expect_alive()


# ---- the system ----

@case("G17-no-memory-of-the-system", "memory_budget")
def _(attack):
    # Within all limits of ours, but the system has no more for the process, and such a block is never kept idle.
    peer = attack.peer()
    peer.expect_alive()
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    try:
        resource.prlimit(attack.target.pid, resource.RLIMIT_AS, (attack.target.memory("VmSize") + (24 << 20),) + unlimited[1:])
        for _ in range(3):
            stream = peer.request("/test.Target/Read", message(length=66 << 20), end=False)
            peer.expect_status(stream, "8")
    finally:
        if attack.target.process.poll() is None:
            resource.prlimit(attack.target.pid, resource.RLIMIT_AS, unlimited)
    peer.expect_alive()
