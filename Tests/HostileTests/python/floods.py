"""Frames that are legal one by one: resets, PING, PRIORITY, DATA (H20 to H27), and those that say nothing to any call (H58)."""

import random
import struct
import time

from cases import SCALE, SOAK_SECONDS, case
from peer import *


@case("H20-rapid-reset", "peer_resets")
def _(attack):
    begun = lambda: attack.target.tally().get("work_begun", 0)
    before = begun()
    peer = attack.peer()
    for _ in range(100_000 // 500):
        flight = b""
        for _ in range(500):
            stream = peer.stream()
            flight += frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Work"))
            flight += frame(DATA, END_STREAM, stream, message(b"5000")) + rst(stream)
        if not peer.send(flight) or peer.goaway is not None:
            break
    peer.expect_goaway(ENHANCE_YOUR_CALM)
    # As many as may run at once: none has ended yet.
    if begun() - before > 128:
        raise Failure(f"{begun() - before} handlers ran")


@case("H20-slots-are-free-when-handlers-end", "running_handlers")
def _(attack):
    peer = attack.peer()
    # Handlers that do not notice: the peer's streams are gone, their work is not.
    for _ in range(800):
        stream = peer.stream()
        peer.send(frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Work"))
                  + frame(DATA, END_STREAM, stream, message(b"3000")) + rst(stream))
    stream = peer.request(body=message(b"x"))
    status = peer.answer(stream)
    if status != f"RST {REFUSED_STREAM}":
        raise Failure(f"a stream beyond the running handlers got {status}")
    end = time.monotonic() + 20
    while (status := peer.call()) != "0":
        if status != f"RST {REFUSED_STREAM}" or time.monotonic() > end:
            raise Failure(f"the connection does not serve any more: {status}")
        time.sleep(0.2)


def made_you_reset(attack, mistake, block=None):
    """Opens streams that the server has to reset, few enough at a time that it is never too many streams."""
    peer = attack.peer()
    # Keeps the connection when it has said goodbye.
    peer.request("/test.Target/Hold", end=False)
    for _ in range(1000):
        seen = len(peer.frames)
        flight = b""
        for _ in range(100):
            stream = peer.stream()
            fields = block(stream) if block else peer.block("/test.Target/Hold")
            flight += frame(HEADERS, END_HEADERS, stream, fields) + mistake(stream)
        if not peer.send(flight) or peer.goaway is not None:
            break
        peer.wait(lambda f: f.kind == RST and f.stream == stream or f.kind == GOAWAY, what="reset")
        if peer.goaway is not None:
            break
        # A goodbye in between changes nothing.
        peer.send(frame(GOAWAY, 0, 0, bytes(8)) if stream < 250 else b"")
    return peer


RESETS = ["--resets", "150"]


@case("H21-made-you-reset-window-overflow", "own_resets", arguments=RESETS)
def _(attack):
    mistake = lambda stream: frame(WINDOW, 0, stream, struct.pack(">I", 0x7FFFFFFF))
    made_you_reset(attack, mistake).expect_goaway(ENHANCE_YOUR_CALM)


@case("H21-made-you-reset-bad-headers", "own_resets", arguments=RESETS)
def _(attack):
    block = literal(":method", "GET") + literal(":path", "x")
    made_you_reset(attack, lambda stream: b"", lambda stream: block).expect_goaway(ENHANCE_YOUR_CALM)


@case("H21-made-you-reset-stream-window-exceeded", "own_resets", arguments=["--resets", "40"])
def _(attack):
    peer = attack.peer()
    for _ in range(1000):
        stream = peer.request("/test.Target/Hold", end=False)
        for _ in range(17):
            peer.send(frame(DATA, 0, stream, message(bytes(16379))))
        # What the server has not read when it ends the connection would make TCP take its GOAWAY back.
        peer.wait(lambda f: f.kind == RST and f.stream == stream or f.kind == GOAWAY, what="reset")
        if peer.is_closed or peer.goaway is not None:
            break
    peer.expect_goaway(ENHANCE_YOUR_CALM)


for name, mistake in {
    "window-0": lambda stream: frame(WINDOW, 0, stream, bytes(4)),
    "data-after-the-end": lambda stream: frame(DATA, END_STREAM, stream) + frame(DATA, 0, stream, b"x"),
    "priority-length": lambda stream: frame(PRIORITY, 0, stream, b"abcd"),
}.items():
    @case(f"H21-made-you-reset-{name}", "connection_violation|own_resets")
    def _(attack, mistake=mistake):
        # One of these ends the connection already.
        made_you_reset(attack, mistake).wait_for_close()


@case("H22-ping-flood-unread", "pings|too_many_pings|unread_answers")
def _(attack):
    peer = attack.peer(acknowledges=False)
    peer.reads = False
    peer.repeat(ping(), 1_000_000)
    peer.reads = True
    peer.wait_for_close()


@case("H22-ping-flood-read", "pings|too_many_pings")
def _(attack):
    peer = attack.peer()
    peer.repeat(ping(), 1_000_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H23-priority-shuffle", "idle_frames")
def _(attack):
    peer = attack.peer()
    frames = b"".join(frame(PRIORITY, 0, 2 * n + 1, struct.pack(">IB", 2 * random.randrange(5000) + 3 + 20000, 7))
                      for n in range(5000))
    for _ in range(4 * SCALE):
        if not peer.send(frames):
            break
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H23-priorities-of-an-old-client")
def _(attack):
    # A browser's tree, and one for each of its requests.
    peer = attack.peer()
    priority = lambda stream: frame(PRIORITY, 0, stream, struct.pack(">IB", 0, 200))
    peer.send(b"".join(priority(stream) for stream in (3, 5, 7, 9, 11)))
    peer.next_stream = 13
    for _ in range(1500):
        stream = peer.request(body=message(b"x"))
        peer.send(priority(stream))
        peer.expect_status(stream, "0")
        peer.frames.clear()


@case("H24-reset-idle-stream", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(rst(99))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H24-reset-even-stream", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(rst(2))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H24-reset-closed-stream-again-and-again", "peer_resets")
def _(attack):
    peer = attack.peer()
    stream = peer.request(body=message(b"x"))
    peer.expect_status(stream, "0")
    peer.repeat(rst(stream), 100_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H25-empty-data", "empty_data")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    peer.repeat(frame(DATA, 0, stream), 1_000_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H26-tiny-data", "tiny_data")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", b"\0\0\x40\0\0", end=False)
    peer.repeat(frame(DATA, 0, stream, b"a"), 4 << 20)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H26-small-data-below-the-budget")
def _(attack):
    # Eight bytes at a time is slow, and legal.
    peer = attack.peer()
    size = 256 << 10
    stream = peer.request("/test.Target/Read", message(length=size), end=False)
    peer.repeat(frame(DATA, 0, stream, b"a" * 8), size // 8)
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")


@case("H27-padding-only", "empty_data")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    peer.repeat(frame(DATA, PADDED, stream, b"\xff" + bytes(255)), 100_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H27-credit-of-padding-comes-back")
def _(attack):
    # Two fifths of what comes is padding, of a message that is larger than the first window.
    peer = attack.peer()
    size = 4 << 20
    stream = peer.request("/test.Target/Read", message(length=size), end=False)
    for at in range(0, size, 380):
        now = min(380, size - at)
        if not credited(peer, stream, now + 256):
            raise Failure(f"ended with {size - at} bytes left: {peer.status(stream)}")
        peer.send(frame(DATA, PADDED, stream, b"\xff" + bytes(now) + bytes(255)))
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")


IDLE = {
    "window-updates": lambda stream: window(0, 1),
    "window-updates-of-a-stream": lambda stream: window(stream, 1),
    "window-updates-of-a-dead-stream": lambda stream: window(1, 1),
    "unknown-types": lambda stream: frame(0xF0, 0xFF, stream, b"whatever"),
    "priority-updates": lambda stream: frame(0x10, 0, 0, struct.pack(">I", stream) + b"u=1"),
    "answers-to-no-ping": lambda stream: ping(ack=True),
    "goodbyes": lambda stream: frame(GOAWAY, 0, 0, bytes(8)),
    "empty-data-of-a-dead-stream": lambda stream: frame(DATA, 0, 1),
    "padding-of-a-dead-stream": lambda stream: frame(DATA, PADDED, 1, b"\x07" + bytes(7)),
    "tiny-data-of-a-dead-stream": lambda stream: frame(DATA, 0, 1, b"abcd"),
    "headers-of-a-dead-stream": lambda stream: frame(HEADERS, END_HEADERS, 1, b"\x82"),
}

for name, idle in IDLE.items():
    reason = "empty_data" if name.startswith(("empty", "padding")) else "tiny_data" if name.startswith("tiny") else "idle_frames"
    @case(f"H58-{name}", reason)
    def _(attack, idle=idle):
        peer = attack.peer()
        # We end this one: what comes on it may have been on its way.
        dead = peer.request("/test.Target/Echo", message(length=1 << 30), end=False)
        peer.expect_status(dead, "8")
        stream = peer.request("/test.Target/Hold", end=False)
        # Does not wait for the answers, and a goodbye from us keeps the connection.
        peer.repeat(idle(stream), 100_000)
        peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H58-ends-of-dead-streams-that-share-a-place", "idle_frames")
def _(attack):
    # The streams that a peer has ended are remembered in 128 places.
    peer = attack.peer()
    dead = []
    for stream in (1, 257):
        peer.next_stream = stream
        dead.append(peer.request("/test.Target/Echo", message(length=1 << 30), end=False))
        peer.expect_status(stream, "8")
    peer.repeat(b"".join(frame(DATA, END_STREAM, stream) for stream in dead), 100_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


def downloads(attack, sizes, windows, updates):
    """Answers of such sizes through such a window, with so many updates of each kind for every DATA frame that comes."""
    peer = attack.peer({4: windows})
    for size in sizes:
        stream = peer.request("/test.Target/Give", message(b"0 %d" % size))
        got = 0
        while peer.status(stream) == "nothing":
            if not ready(peer.socket, 20)[0]:
                raise Failure(f"{got} of {size} bytes came")
            peer.receive()
            flight = b""
            for f in peer.frames:
                if f.kind == DATA and f.payload:
                    got += len(f.payload)
                    # Credit in parts, as a client gives it that reads its socket in small pieces.
                    for part in range(updates):
                        step = len(f.payload) * (part + 1) // updates - len(f.payload) * part // updates
                        flight += (window(stream, step) + window(0, step)) if step else b""
            peer.frames.clear()
            peer.bodies.clear()
            peer.send(flight)
        if peer.status(stream) != "0" or got != size + 5:
            raise Failure(f"{peer.status(stream)} after {got} of {size} bytes")
        peer.fields.clear()


@case("H58-an-update-for-each-frame-of-a-tiny-window")
def _(attack):
    # 15,000 DATA frames, and two updates for each.
    downloads(attack, [300_000], 20, 1)


@case("H58-updates-for-each-KiB-of-large-frames", budget=64 << 20)
def _(attack):
    # 32,000 updates for 1,000 frames.
    downloads(attack, [4 << 20] * 4, 1 << 20, 16)


@case("H58-updates-that-come-late", budget=64 << 20)
def _(attack):
    # Frame after frame comes, and much later all credit for them at once.
    peer = attack.peer({4: 0x7FFFFFFF})
    peer.send(window(0, 0x7FFF0000 - 65535))
    streams = [peer.request("/test.Target/Give", message(b"0 1000")) for _ in range(100)]
    frames = 0
    for _ in range(60):
        for stream in streams:
            peer.expect_status(stream, "0")
        frames += sum(f.kind == DATA for f in peer.frames)
        peer.frames.clear()
        peer.bodies.clear()
        streams = [peer.request("/test.Target/Give", message(b"0 1000")) for _ in range(100)]
    time.sleep(1.5)
    if frames < 6000:
        raise Failure(f"{frames} DATA frames")
    peer.send(window(0, 1) * 2 * frames)
    peer.expect_alive()


def mix(peer, times):
    """Streams that are reset, a byte at a time, and PINGs, all at once. Returns what goes out in one piece."""
    flight = b""
    for _ in range(times):
        stream = peer.stream()
        flight += frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Read"))
        flight += frame(DATA, 0, stream, b"\0") * 2 + rst(stream) + ping()
    return flight


if SOAK_SECONDS:
    @case("H26-soak-of-resets-tiny-data-and-pings", "peer_resets|tiny_data|pings|too_many_pings")
    def _(attack):
        # Half of them go as fast as they can and come back when they are thrown out, half stay below every limit.
        began, mid, rounds, thrown_out = time.monotonic(), None, 0, 0
        greedy, careful = [None] * 4, [attack.peer() for _ in range(4)]
        while (now := time.monotonic() - began) < SOAK_SECONDS:
            for index, peer in enumerate(greedy):
                if peer is None or peer.is_closed or peer.goaway is not None:
                    thrown_out += peer is not None
                    if peer is not None:
                        peer.close()
                        attack.peers.remove(peer)
                    greedy[index] = peer = attack.peer()
                peer.send(mix(peer, 200))
            for peer in careful:
                stream = peer.stream()
                peer.send(frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Read"))
                          + frame(DATA, 0, stream, b"\0") * 2 + rst(stream))
                if peer.is_closed:
                    raise Failure(f"a peer below the limits was thrown out: {peer.frames[-3:]}")
            for peer in greedy + careful:
                peer.receive()
                peer.frames.clear()
            rounds += 1
            if mid is None and now > SOAK_SECONDS / 3:
                mid = attack.target.memory()
        grown = attack.target.memory() - mid
        attack.notes.append(f"{rounds} rounds, {thrown_out} thrown out, memory {grown >> 20:+} MiB in the last two thirds")
        if grown > 16 << 20:
            raise Failure(f"memory grew by {grown >> 20} MiB in the last two thirds")
        for peer in careful:
            peer.expect_alive()
