"""HTTP/2 servers: connections, headers, floods, flow control (H01 to H48)."""

import os
import random
import select
import socket
import struct
import time

from cases import SCALE, case
from grpc_calls import credited
from peer import *


# ---- connection set-up ----

def speak(attack, data, patience=5):
    """Sends what is no HTTP/2, and waits for the end."""
    peer = attack.peer(preface=False, acknowledges=False)
    started = time.monotonic()
    peer.send(data)
    peer.wait_for_close(patience)
    return time.monotonic() - started


@case("H01-garbage", "connection_violation")
def _(attack):
    speak(attack, os.urandom(4096))


@case("H01-tls-client-hello", "connection_violation")
def _(attack):
    speak(attack, bytes.fromhex("16030100c8010000c40303") + os.urandom(193))


@case("H01-http1-request", "connection_violation")
def _(attack):
    speak(attack, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")


@case("H02-preface-byte-by-byte", "handshake_timeout", arguments=["--handshake-seconds", "2"])
def _(attack):
    peer = attack.peer(preface=False, acknowledges=False)
    started = time.monotonic()
    for byte in PREFACE:
        if not peer.send(bytes([byte])):
            break
        peer.pump(0.3)
    peer.wait_for_close(10)
    if time.monotonic() - started < 1.5:
        raise Failure("closed before the handshake limit")


@case("H03-idle-connections", "connections", arguments=["--handshake-seconds", "2", "--connections", "200"])
def _(attack):
    peers = [attack.peer(preface=False, acknowledges=False) for _ in range(300 * SCALE)]
    for peer in peers:
        peer.wait_for_close(20)


@case("H04-preface-without-settings", "handshake_timeout", arguments=["--handshake-seconds", "2"])
def _(attack):
    peer = attack.peer(preface=False, acknowledges=False)
    peer.send(PREFACE)
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H05-settings-of-33-entries", "settings_entries|connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 0xF000, 1) * 33))
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H05-settings-of-16-KiB", "settings_entries|connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 0xF000, 1) * 2730))
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H05-settings-of-a-wrong-length", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(SETTINGS, 0, 0, b"12345"))
    peer.expect_goaway(FRAME_SIZE_ERROR)


@case("H06-settings-flood", "settings|unread_answers")
def _(attack):
    peer = attack.peer(acknowledges=False)
    peer.reads = False
    peer.repeat(settings({4: 65535}), 100_000)
    peer.reads = True
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H07-window-size-over-the-limit", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(settings({4: 0x80000000}))
    peer.expect_goaway(FLOW_CONTROL_ERROR)


@case("H07-window-size-flips", "settings")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Flood", message(b"1000 1000"))
    peer.repeat(settings({4: 0}) + settings({4: 0x7FFFFFFF}), 1000)
    peer.expect_goaway(ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR)


@case("H07-max-frame-size-0", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(settings({5: 0}))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H07-max-frame-size-2^24", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(settings({5: 1 << 24}))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H07-header-table-size-2^32-1")
def _(attack):
    peer = attack.peer({1: 0xFFFFFFFF})
    peer.decoder.max_allowed_table_size = 0xFFFFFFFF
    for number in range(300):
        stream = peer.request(body=message(b"x"), extra=[(f"x-{number}", "v" * 100)])
        peer.expect_status(stream, "0")
    if peer.decoder.header_table.maxsize > 4096:
        raise Failure(f"the encoder's table grew to {peer.decoder.header_table.maxsize}")


@case("H08-streams-in-the-first-flight", "concurrent_streams")
def _(attack):
    before = attack.target.tally().get("handlers_begun", 0)
    peer = attack.peer(preface=False, acknowledges=False)
    count = 2000 * SCALE
    flight = PREFACE + settings()
    for _ in range(count):
        flight += frame(HEADERS, END_HEADERS, peer.stream(), peer.block("/test.Target/Hold"))
    peer.send(flight)
    refused = lambda: sum(1 for f in peer.frames if f.kind == RST and f.code == REFUSED_STREAM)
    end = time.monotonic() + 20
    while refused() < min(900, count - 128) and not peer.is_closed and time.monotonic() < end:
        peer.pump(0.2)
    if refused() < 900 and peer.goaway not in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM):
        raise Failure(f"{refused()} refused, GOAWAY {peer.goaway}")
    begun = attack.target.tally().get("handlers_begun", 0) - before
    # The polite client's are among them.
    if begun > 128 + 500:
        raise Failure(f"{begun} handlers ran")


# ---- headers and HPACK ----

@case("H10-continuation-flood", "continuations|connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, 0, 1, peer.block()))
    peer.repeat(frame(CONTINUATION, 0, 1, literal("x-a", "b" * 1000)), 20_000)
    peer.wait_for_close()
    if peer.goaway not in (ENHANCE_YOUR_CALM, None, INTERNAL_ERROR, PROTOCOL_ERROR):
        raise Failure(f"GOAWAY {peer.goaway}")


@case("H10-empty-continuations", "continuations|connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, 0, 1, peer.block()))
    peer.repeat(frame(CONTINUATION, 0, 1, b""), 100_000)
    peer.wait_for_close()


def bomb(attack, entry, references, per_frame=16384):
    """A header block that refers to one table entry over and over; nothing of what comes back is read."""
    peer = attack.peer({4: 0})
    fields = frame(HEADERS, 0, 1, peer.block() + entry)
    while references > 0:
        now = min(per_frame, references)
        references -= now
        fields += frame(CONTINUATION, 0 if references else END_HEADERS, 1, b"\xbe" * now)
    peer.send(fields)
    return peer


@case("H11-http2-bomb", "header_block")
def _(attack):
    bomb(attack, literal("x", "", index=True), 7 * 16384).expect_goaway(ENHANCE_YOUR_CALM)


@case("H11-small-bombs-on-many-streams", "metadata")
def _(attack):
    peer = attack.peer({4: 0})
    for _ in range(100):
        stream = peer.stream()
        # Not by the encoder: its table does not know of ours.
        block = hpack.Encoder().encode([], huffman=False)
        for name, value in ((":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Echo"), (":authority", "h")):
            block += literal(name, value)
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block + literal("x", "", index=True) + b"\xbe" * 500))
        peer.expect_status(stream, "8")


@case("H12-hpack-bomb", "header_block")
def _(attack):
    bomb(attack, literal("x", "v" * 4000, index=True), 16384).expect_goaway(ENHANCE_YOUR_CALM)


@case("H13-cookie-crumbs", "metadata")
def _(attack):
    peer = attack.peer()
    stream = peer.request(extra=[("cookie", f"c{number}=" + "v" * 150) for number in range(120)])
    peer.expect_status(stream, "8")
    peer.expect_alive()


@case("H14-empty-fields", "metadata|stream_violation|header_block")
def _(attack):
    peer = attack.peer()
    stream = peer.stream()
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.block() + b"\x00\x00\x00" * 1000))
    status = peer.answer(stream)
    if status not in ("8", f"RST {PROTOCOL_ERROR}"):
        raise Failure(status)
    peer.expect_alive()
    peer.send(frame(HEADERS, 0, peer.stream(), peer.block() + literal("x", "") * 3000)
              + frame(CONTINUATION, END_HEADERS, peer.next_stream - 2, literal("x", "") * 3000))
    peer.expect_goaway(ENHANCE_YOUR_CALM)


MALFORMED_BLOCKS = {
    "index-0": b"\x80",
    "index-over-the-table": b"\xff\x64",
    "huffman-padding-of-ones": literal("a", "") + b"\x00\x01a\x82\xff\xff",
    "huffman-padding-of-zeros": b"\x00\x01a\x81\x18",
    "huffman-with-eos": b"\x00\x01a\x84\xff\xff\xff\xff",
    "integer-of-10-bytes": b"\xff" + b"\xff" * 10 + b"\x01",
    "table-size-over-the-limit": b"\x3f\xe2\x1f",
    "table-size-inside-a-block": b"\x82\x3f\x00\x84",
    "string-over-the-block": b"\x00\x7f\xff\xff\x01a",
}

for name, block in MALFORMED_BLOCKS.items():
    @case(f"H15-{name}", "connection_violation")
    def _(attack, block=block):
        peer = attack.peer()
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))
        peer.expect_goaway(COMPRESSION_ERROR)


@case("H16-refused-streams-keep-the-table", "concurrent_streams|running_handlers")
def _(attack):
    peer = attack.peer()
    held = [peer.request("/test.Target/Hold", end=False, extra=[("x-held", str(n))]) for n in range(128)]
    # Not yet acknowledged, so that streams beyond the limit are refused and not a violation.
    late = Peer(attack.port, acknowledges=False)
    attack.peers.append(late)
    for number in range(128):
        late.request("/test.Target/Hold", end=False, extra=[(f"x-hold-{number}", "v")])
    refused = [late.request(extra=[(f"x-refused-{number}", "v" * 20)]) for number in range(500)]
    for stream in refused:
        late.expect_rst(stream, REFUSED_STREAM)
    late.send(rst(1))
    # Refers to entries of the blocks that were refused.
    late.pump(0.5)
    stream = late.request(body=message(b"hello"), extra=[("x-refused-499", "v" * 20)])
    late.expect_status(stream, "0")


BAD_FIELDS = {
    "upper-case-name": [("X-Upper", "v")],
    "connection": [("connection", "close")],
    "transfer-encoding": [("transfer-encoding", "chunked")],
    "te-other-than-trailers": [("te", "gzip")],
    "unknown-pseudo-header": [(":unknown", "v")],
    "late-pseudo-header": [("x-a", "b"), (":path", "/other")],
    "duplicate-path": [(":path", "/other")],
    "response-pseudo-header": [(":status", "200")],
    "newline-in-value": [("x-a", "b\r\nc: d")],
    "nul-in-value": [("x-a", "b\0c")],
    "space-in-name": [("x a", "b")],
    "wrong-content-length": [("content-length", "12x")],
}

for name, fields in BAD_FIELDS.items():
    @case(f"H17-{name}", "stream_violation")
    def _(attack, fields=fields):
        peer = attack.peer()
        stream = peer.stream()
        plain = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Echo"), (":authority", "h")]
        if fields[0][0].startswith(":"):
            plain += fields
            fields = []
        plain += [("content-type", "application/grpc")] + fields
        block = b"".join(literal(*field) for field in plain)
        peer.send(frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, message(b"x")))
        peer.expect_rst(stream, PROTOCOL_ERROR)
        peer.expect_alive()


MISSING = [":method", ":scheme", ":path"]

for missing in MISSING:
    @case(f"H17-without-{missing[1:]}", "stream_violation")
    def _(attack, missing=missing):
        peer = attack.peer()
        fields = [(":method", "POST"), (":scheme", "http"), (":path", "/test.Target/Echo"), (":authority", "h")]
        block = b"".join(literal(*field) for field in fields if field[0] != missing)
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, peer.stream(), block))
        peer.expect_rst(1, PROTOCOL_ERROR)
        peer.expect_alive()


for name, path in {"empty": "", "without-slash": "test.Target/Echo"}.items():
    @case(f"H17-path-{name}", "stream_violation")
    def _(attack, path=path):
        peer = attack.peer()
        stream = peer.request(path, message(b"x"))
        peer.expect_rst(stream, PROTOCOL_ERROR)
        peer.expect_alive()


@case("H18-empty-header-block", "stream_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1))
    peer.expect_rst(1, PROTOCOL_ERROR)


@case("H18-headers-twice", "stream_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    peer.send(frame(HEADERS, END_HEADERS, stream, peer.block()))
    peer.expect_rst(stream, PROTOCOL_ERROR)
    peer.expect_alive()


@case("H18-trailers-with-pseudo-headers", "stream_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Read", end=False)
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, literal(":path", "/other")))
    peer.expect_rst(stream, PROTOCOL_ERROR)
    peer.expect_alive()


# ---- streams, resets, floods ----

@case("H20-rapid-reset", "peer_resets")
def _(attack):
    before = attack.target.tally().get("handlers_begun", 0)
    peer = attack.peer()
    for _ in range(100_000 // 500):
        flight = b""
        for _ in range(500):
            stream = peer.stream()
            flight += frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Work"))
            flight += frame(DATA, END_STREAM, stream, message(b"2000")) + rst(stream)
        if not peer.send(flight) or peer.goaway is not None:
            break
    peer.expect_goaway(ENHANCE_YOUR_CALM)


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
    time.sleep(3)
    peer.expect_alive()


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


@case("H21-made-you-reset-stream-window-exceeded", "own_resets", arguments=RESETS)
def _(attack):
    peer = attack.peer()
    for _ in range(1000):
        stream = peer.request("/test.Target/Hold", end=False)
        for _ in range(17):
            peer.send(frame(DATA, 0, stream, message(bytes(16379))))
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


@case("H23-priority-shuffle")
def _(attack):
    peer = attack.peer()
    frames = b"".join(frame(PRIORITY, 0, 2 * n + 1, struct.pack(">IB", 2 * random.randrange(5000) + 3 + 20000, 7))
                      for n in range(5000))
    for _ in range(4 * SCALE):
        if not peer.send(frames):
            break
    peer.expect_alive()


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


WRONG_FRAMES = {
    "data-on-stream-0": (frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
    "headers-on-stream-0": (frame(HEADERS, END_HEADERS, 0, b"\x82"), PROTOCOL_ERROR),
    "headers-on-even-stream": (frame(HEADERS, END_HEADERS, 2, b"\x82"), PROTOCOL_ERROR),
    "rst-on-stream-0": (rst(0), PROTOCOL_ERROR),
    "rst-of-3-bytes": (frame(RST, 0, 1, b"abc"), FRAME_SIZE_ERROR),
    "settings-on-stream-1": (frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "settings-ack-with-payload": (frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "settings-enable-push-2": (settings({2: 2}), PROTOCOL_ERROR),
    "push-promise-from-a-client": (frame(PUSH, END_HEADERS, 1, bytes(4) + b"\x82"), PROTOCOL_ERROR),
    "ping-on-stream-1": (frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "ping-of-6-bytes": (frame(PING, 0, 0, bytes(6)), FRAME_SIZE_ERROR),
    "goaway-on-stream-1": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "goaway-of-4-bytes": (frame(GOAWAY, 0, 0, bytes(4)), FRAME_SIZE_ERROR),
    "window-update-of-3-bytes": (frame(WINDOW, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "window-update-of-0": (frame(WINDOW, 0, 0, bytes(4)), PROTOCOL_ERROR),
    "window-update-overflow": (frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff"), FLOW_CONTROL_ERROR),
    "window-update-on-idle-stream": (frame(WINDOW, 0, 9, b"\0\0\0\1"), PROTOCOL_ERROR),
    "continuation-alone": (frame(CONTINUATION, END_HEADERS, 1, b"\x82"), PROTOCOL_ERROR),
    "data-on-idle-stream": (frame(DATA, 0, 1, b"x"), PROTOCOL_ERROR),
    "larger-than-max-frame-size": (frame(PING, 0, 0, bytes((1 << 20) + 1)), FRAME_SIZE_ERROR),
    "priority-on-stream-0": (frame(PRIORITY, 0, 0, bytes(5)), PROTOCOL_ERROR),
}

for name, (data, code) in WRONG_FRAMES.items():
    @case(f"H28-{name}", "connection_violation")
    def _(attack, data=data, code=code):
        peer = attack.peer()
        peer.send(data)
        peer.expect_goaway(code)


@case("H28-data-padding-over-its-frame", "connection_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request(end=False)
    peer.send(frame(DATA, PADDED, stream, b"\x0aabc"))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H28-headers-padding-over-its-frame", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, PADDED | END_HEADERS, 1, b"\xff" + peer.block()[:20]))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H28-decreasing-ids", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 5, peer.block()))
    peer.pump(0.3)
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, peer.block()))
    peer.expect_goaway(PROTOCOL_ERROR, STREAM_CLOSED)


@case("H28-other-frame-inside-a-header-block", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, 0, 1, peer.block()) + ping())
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H28-headers-of-another-stream-inside-a-block", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.send(frame(HEADERS, 0, 1, peer.block()) + frame(HEADERS, END_HEADERS, 3, peer.block()))
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H28-self-dependency")
def _(attack):
    # RFC 9113 took priorities away; RFC 7540 made this a stream error.
    peer = attack.peer()
    block = struct.pack(">IB", 1, 16) + peer.block()
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM | PRIORITIZED, 1, block))
    peer.wait(lambda f: f.stream == 1 or f.kind == GOAWAY, what="answer")


@case("H28-unknown-frames-and-reserved-bits")
def _(attack):
    peer = attack.peer()
    peer.send(frame(0xF0, 0xFF, 0, b"whatever") + frame(0x77, 0, 0x80000000, b"x" * 100) + settings({0xABCD: 5}))
    peer.send(frame(PING, 0xF0, 0x80000000, b"reserved"))
    peer.wait(lambda f: f.kind == PING and f.flags & ACK, what="PING")
    peer.expect_alive()


@case("H28-data-on-a-closed-stream", "connection_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request(body=message(b"x"))
    peer.expect_status(stream, "0")
    peer.send(frame(DATA, END_STREAM, stream, b"x"))
    peer.expect_error(stream, STREAM_CLOSED)


@case("H28-headers-on-a-closed-stream", "connection_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request(body=message(b"x"))
    peer.expect_status(stream, "0")
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.block()))
    peer.expect_error(stream, STREAM_CLOSED)


for kind, data in {"data": (DATA, b"x"), "headers": (HEADERS, None)}.items():
    @case(f"H28-{kind}-after-its-own-reset", "connection_violation")
    def _(attack, data=data):
        peer = attack.peer()
        stream = peer.request("/test.Target/Hold", end=False)
        peer.send(rst(stream) + frame(data[0], END_HEADERS | END_STREAM, stream, data[1] or peer.block()))
        peer.expect_error(stream, STREAM_CLOSED)


@case("H28-data-after-our-reset-is-ignored")
def _(attack):
    peer = attack.peer()
    # Answered before its end, so that the server says stop.
    stream = peer.request("/test.Target/Echo", message(length=1 << 30), end=False)
    peer.expect_status(stream, "8")
    peer.send(frame(DATA, END_STREAM, stream, b"x" * 100))
    peer.expect_alive()


@case("H28-headers-on-a-half-closed-stream", "connection_violation|stream_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Wait", message(b"1000"))
    peer.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, peer.block()))
    peer.expect_error(stream, STREAM_CLOSED)


@case("H29-malformed-frames-after-goaway", "connection_violation")
def _(attack):
    peer = attack.peer()
    bad = b"".join(data for data, _ in WRONG_FRAMES.values())
    peer.send(frame(PING, 0, 1, bytes(8)) + bad * 50)
    peer.expect_goaway(PROTOCOL_ERROR)


@case("H29-malformed-frames-after-our-limit", "pings|too_many_pings")
def _(attack):
    peer = attack.peer()
    peer.repeat(ping(), 1000)
    peer.send(b"".join(data for data, _ in WRONG_FRAMES.values()) * 50)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H30-goaway-flood")
def _(attack):
    peer = attack.peer()
    for last in range(2000):
        if not peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", last * 2, NO_ERROR) + b"x" * 100)):
            break
    peer.pump(0.5)


@case("H30-goaway-with-a-growing-last-id")
def _(attack):
    peer = attack.peer()
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR)))
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0x7FFFFFFF, NO_ERROR)))
    peer.pump(0.5)


@case("H30-calls-after-goaway")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Wait", message(b"300"))
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR)))
    # What was asked before the goodbye is answered.
    peer.expect_status(stream, "0")


@case("H31-stream-ids-run-out")
def _(attack):
    peer = attack.peer()
    peer.next_stream = 0x7FFFFFFD
    for _ in range(2):
        stream = peer.request(body=message(b"x"))
        peer.expect_status(stream, "0")


# ---- flow control and slow peers ----

@case("H40-one-byte-of-window-at-a-time")
def _(attack):
    peer = attack.peer({4: 1})
    stream = peer.request("/test.Target/Flood", message(b"20 10"))
    for _ in range(20 * 15):
        if stream in peer.fields and "grpc-status" in peer.fields[stream]:
            break
        got = len(peer.bodies.get(stream, b""))
        peer.wait(lambda f, n=got: len(peer.bodies.get(stream, b"")) > n or "grpc-status" in peer.fields.get(stream, {}),
                  what="a byte")
        peer.send(window(stream, 1))
    peer.expect_status(stream, "0")
    if len(peer.bodies[stream]) != 300:
        raise Failure(f"{len(peer.bodies[stream])} bytes came")


@case("H40-root-with-a-window-of-1")
def _(attack):
    peer = attack.peer({4: 1})
    stream = peer.request("/", method="GET")
    text = b""
    for _ in range(200):
        n = len(peer.bodies.get(stream, b""))
        got = peer.wait(lambda f, n=n: f.stream == stream and (f.flags & END_STREAM or len(peer.bodies.get(stream, b"")) > n))
        if any(f.flags & END_STREAM for f in peer.frames if f.stream == stream and f.kind in (DATA, HEADERS)):
            break
        peer.send(window(stream, 1))
    if peer.fields[stream].get(":status") != "200" or not peer.bodies.get(stream):
        raise Failure(f"{peer.fields[stream]} {peer.bodies}")
    if any(f.kind == DATA and len(f.payload) > 1 for f in peer.frames):
        raise Failure("more than the window allows")


@case("H41-open-window-closed-socket", budget=96 << 20)
def _(attack):
    peer = attack.peer({4: 0x7FFFFFFF}, receive_buffer=4096)
    peer.send(window(0, 0x7FFF0000 - 65535))
    for _ in range(100):
        peer.request("/test.Target/Flood", message(b"100000 16384"))
    peer.reads = False
    time.sleep(3)


@case("H42-windows-of-0", budget=96 << 20)
def _(attack):
    peer = attack.peer({4: 0})
    streams = [peer.request("/test.Target/Flood", message(b"1000 100000")) for _ in range(100)]
    time.sleep(1)
    # Others are served on the same connection meanwhile; what needs no window is answered.
    peer.expect_status(peer.request("/test.Target/None", message(b"x")), "12")
    for stream in streams:
        peer.send(rst(stream))


@case("H43-stream-window-exceeded", "connection_violation|stream_violation")
def _(attack):
    peer = attack.peer()
    stream = peer.request("/test.Target/Hold", end=False)
    for _ in range(40):
        peer.send(frame(DATA, 0, stream, message(bytes(16379))))
    peer.expect_error(stream, FLOW_CONTROL_ERROR)


@case("H44-window-of-dead-streams-comes-back", budget=96 << 20)
def _(attack):
    peer = attack.peer()
    half = message(length=1 << 20) + bytes(60_000)
    for _ in range(20 * SCALE):
        for _ in range(40):
            stream = peer.request("/test.Target/Read", half[:16384], end=False)
            for at in range(16384, len(half), 16384):
                peer.send(frame(DATA, 0, stream, half[at:at + 16384]))
            peer.send(rst(stream))
        peer.pump(0.05)
        if peer.is_closed:
            raise Failure(f"closed: {peer.frames[-3:]}")
        peer.frames.clear()
    # 48 MB have gone by, of a connection window of 16 MiB.
    stream = peer.request("/test.Target/Read", message(length=200_000), end=False)
    for _ in range(20):
        peer.send(frame(DATA, 0, stream, bytes(10_000)))
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")
    credit = sum(struct.unpack(">I", f.payload)[0] for f in peer.frames if f.kind == WINDOW and f.stream == 0)


@case("H46-health-while-one-stream-is-full", budget=160 << 20)
def _(attack):
    peer = attack.peer()
    big = peer.request("/test.Target/Read", message(length=4 << 20), end=False)
    times = []
    for _ in range(50):
        peer.send(frame(DATA, 0, big, bytes(4000)))
        started = time.monotonic()
        if peer.call("/grpc.health.v1.Health/Check", b"") != "0":
            raise Failure("health does not answer")
        times.append(time.monotonic() - started)
    if sorted(times)[25] > 1:
        raise Failure(f"health took {sorted(times)[25]:.3f} s")
    peer.send(rst(big))


@case("H48-write-to-a-closed-socket")
def _(attack):
    for _ in range(50):
        peer = Peer(attack.port, {4: 0x7FFFFFFF})
        for _ in range(10):
            peer.request("/test.Target/Flood", message(b"100 100000"))
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
