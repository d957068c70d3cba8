"""Frames that are wrong, or come when they must not (H28 to H31)."""

import struct

from cases import case
from peer import *

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


for name, ids in {"even": [0x7FFFFFFE, 0x7FFFFFFF], "odd": [0x7FFFFFFD, 0x7FFFFFFF, 0x7FFFFFFE]}.items():
    @case(f"H28-the-last-ids-{name}", "connection_violation")
    def _(attack, ids=ids):
        peer = attack.peer()
        peer.send(b"".join(frame(HEADERS, END_HEADERS, stream, b"") for stream in ids))
        peer.expect_goaway(PROTOCOL_ERROR)


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


@case("H30-goaway-flood", "idle_frames")
def _(attack):
    peer = attack.peer()
    # Else there is nothing left to do, and the connection ends at the first one.
    peer.request("/test.Target/Hold", end=False)
    peer.repeat(frame(GOAWAY, 0, 0, struct.pack(">II", 0, NO_ERROR) + b"x" * 100), 100_000)
    peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H30-goaway-with-a-growing-last-id", "connection_violation")
def _(attack):
    peer = attack.peer()
    peer.request("/test.Target/Hold", end=False)
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 2, NO_ERROR)))
    peer.send(frame(GOAWAY, 0, 0, struct.pack(">II", 4, NO_ERROR)))
    peer.expect_goaway(PROTOCOL_ERROR)


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
    # At once, since the server may look between them.
    streams = [peer.stream(), peer.stream()]
    peer.send(b"".join(frame(HEADERS, END_HEADERS, stream, peer.block()) + frame(DATA, END_STREAM, stream, message(b"x"))
                       for stream in streams))
    for stream in streams:
        peer.expect_status(stream, "0")
    # RFC 9113, section 5.1.1: the client is told to go on with another connection.
    goodbye = peer.wait(lambda f: f.kind == GOAWAY and f.payload[8:] == b"stream ids run out", what="last GOAWAY")
    if goodbye is None or goodbye.code != NO_ERROR:
        raise Failure(f"{goodbye}; last: {peer.frames[-5:]}")
    peer.wait_for_close()
