"""HTTP/2 servers: answers that nobody takes, and connections that end meanwhile (H49 to H57), beside those of the checklist."""

import time

from cases import case
from peer import *
from target import Target


@case("H49-call-begun-after-its-connection-ended", "too_many_pings")
def _(attack):
    # The PINGs end the connection; the request behind them comes in the same read. The oracle sees that each handler
    # that began has ended, and that the process drains.
    for _ in range(5):
        peer = attack.peer()
        peer.request("/test.Target/Hold", end=False)
        peer.pump(0.2)
        stream = peer.stream()
        peer.send(ping() * 4 + frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Hold")))
        peer.expect_goaway(ENHANCE_YOUR_CALM)


@case("H50-resets-that-nobody-reads", "own_resets", budget=96 << 20)
def _(attack):
    peer = attack.peer({4: 0x7FFFFFFF}, receive_buffer=4096, acknowledges=False)
    peer.send(window(0, 0x7FFF0000 - 65535))
    peer.reads = False
    # The server's output is stuck from here on.
    for _ in range(100):
        peer.request("/test.Target/Flood", message(b"100000 16384"), end=False)
    time.sleep(1)
    post_http_root = b"\x83\x86\x84"
    for _ in range(250):
        flight = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, peer.stream(), post_http_root) for _ in range(4000))
        if not peer.send(flight):
            return
    raise Failure("a million refused streams were taken")


@case("H51-reset-in-the-same-read-as-its-request", budget=32 << 20, arguments=["--resets", "1000000"])
def _(attack):
    peer = attack.peer({4: 0x7FFFFFFF})
    body = message(b"x" * 16000)
    for _ in range(300):
        flight = b""
        for _ in range(20):
            stream = peer.stream()
            flight += frame(HEADERS, END_HEADERS, stream, peer.block("/test.Target/Now"))
            flight += frame(DATA, END_STREAM, stream, body) + rst(stream)
        peer.send(flight)
        peer.pump(0)
        peer.frames.clear()
        peer.bodies.clear()
        peer.fields.clear()
    peer.expect_alive()


@case("H52-unary-answers-that-wait", budget=48 << 20)
def _(attack):
    # 200 MiB, of which 16 may wait before handlers do.
    peer = attack.peer({4: 0})
    for _ in range(100):
        peer.request("/test.Target/Give", message(b"0 2097152"))
    peer.pump(2)


@case("H52-unary-answers-beyond-the-limit", "unsent_answers", budget=96 << 20,
      arguments=["--unsent-bytes", str(8 << 20)])
def _(attack):
    peer = attack.peer({4: 0})
    streams = [peer.request("/test.Target/Give", message(b"500 524288")) for _ in range(100)]
    peer.wait(lambda f: sum(peer.status(stream) == "8" for stream in streams) >= 80, what="refusals")


@case("H52-answers-that-wait-on-many-connections", "unsent_answers", budget=96 << 20,
      arguments=["--server-unsent-bytes", str(32 << 20)])
def _(attack):
    # None of the connections has more than its own limit; an address has half of the server's, 16 of these answers.
    peers = [attack.peer({4: 0}) for _ in range(20)]
    for peer in peers:
        peer.answers = [peer.request("/test.Target/Give", message(b"0 1048576")) for _ in range(4)]
    for peer in peers:
        peer.pump(0.2)
    refused = sum(peer.status(stream) == "8" for peer in peers for stream in peer.answers)
    if not 55 <= refused <= 70:
        raise Failure(f"{refused} of 80 answers were refused")


@case("H53-deadline-while-the-window-is-0")
def _(attack):
    peer = attack.peer({4: 0})
    stream = peer.request("/test.Target/Flood", message(b"10 1000"), extra=[("grpc-timeout", "200m")], end=False)
    peer.expect_status(stream, "4")
    peer.expect_status(peer.request("/test.Target/None", message(b"x")), "12")


for kind in ["Give", "Now"]:
    @case(f"H53-deadline-of-an-answer-that-waits-{kind}")
    def _(attack, kind=kind):
        # The handler has returned long ago; the window stays 0.
        peer = attack.peer({4: 0})
        streams = [peer.request(f"/test.Target/{kind}", message(b"0 1000"), extra=[("grpc-timeout", timeout)])
                   for timeout in ["200m", "400m"]]
        for stream in streams:
            peer.expect_status(stream, "4", patience=10)
        peer.expect_status(peer.request("/test.Target/None", message(b"x")), "12")


@case("H54-trailers-after-a-refused-head")
def _(attack):
    peer = attack.peer()
    before = attack.target.limits()
    stream = peer.stream()
    peer.send(frame(HEADERS, END_HEADERS, stream, peer.block("/no.Such/Method")) + frame(DATA, 0, stream, message(b"x"))
              + frame(HEADERS, END_HEADERS | END_STREAM, stream, literal("x-sum", "1")))
    peer.expect_status(stream, "12")
    peer.expect_alive()
    if attack.target.limits() != before:
        raise Failure(f"{before} became {attack.target.limits()}")


def draining(attack):
    """A process of its own, which ends."""
    return Target(attack.target.process.args[0])


@case("H55-drain-says-goodbye-before-its-ping")
def _(attack):
    target = draining(attack)
    try:
        peer = Peer(target.port)
        stream = peer.request("/test.Target/Read", end=False)
        peer.pump(0.2)
        target.process.stdin.close()
        peer.wait(lambda f: sum(f.kind == GOAWAY for f in peer.frames) == 2, what="the last GOAWAY")
        kinds = [f.kind for f in peer.frames if f.kind in (GOAWAY, PING)]
        if kinds != [GOAWAY, PING, GOAWAY]:
            raise Failure(f"{kinds}")
        peer.send(frame(DATA, END_STREAM, stream, message(b"x")))
        peer.expect_status(stream, "0")
        peer.wait_for_close()
        target.process.wait(20)
    finally:
        target.kill()


@case("H55-drain-does-not-cut-the-last-answer")
def _(attack):
    target = draining(attack)
    try:
        peer = Peer(target.port, {4: 0x7FFFFFFF}, receive_buffer=65536)
        peer.send(window(0, 0x7FFF0000 - 65535))
        stream = peer.request("/test.Target/Flood", end=False)
        peer.pump(0.2)
        target.process.stdin.close()
        peer.wait(lambda f: sum(f.kind == GOAWAY for f in peer.frames) == 2, what="the last GOAWAY")
        peer.reads = False
        peer.send(frame(DATA, END_STREAM, stream, message(b"1 1500000")))
        # All of it is in the kernel's hands, and then we say something.
        time.sleep(0.5)
        peer.send(window(0, 1000))
        time.sleep(0.2)
        peer.reads = True
        peer.wait_for_close()
        if peer.status(stream) != "0" or len(peer.bodies[stream]) != 1500005:
            raise Failure(f"{peer.status(stream)} after {len(peer.bodies.get(stream, b''))} bytes")
        target.process.wait(20)
    finally:
        target.kill()


@case("H56-streams-beyond-the-limit", "concurrent_streams")
def _(attack):
    peer = attack.peer()
    streams = [peer.request("/test.Target/Hold", end=False) for _ in range(140)]
    for stream in streams[128:]:
        peer.expect_rst(stream, REFUSED_STREAM)
    peer.send(rst(streams[0]))
    peer.pump(0.2)
    peer.expect_alive()


@case("H57-a-byte-of-window-now-and-then", "stalled_stream", arguments=["--stream-seconds", "2"])
def _(attack):
    peer = attack.peer({4: 1})
    stream = peer.request("/test.Target/Flood", message(b"1000 1000"))
    for _ in range(100):
        peer.pump(0.2)
        if peer.status(stream) != "nothing":
            break
        peer.send(window(stream, 1))
    peer.expect_rst(stream, CANCEL)
    peer.expect_status(peer.request("/test.Target/None", message(b"x")), "12")


@case("H59-trailers-need-no-window")
def _(attack):
    # The window is used up to its last byte, and nobody gives more: what comes after the data is no data.
    for size, timeout in [(10, []), (10, [("grpc-timeout", "5S")]), (1000, [])]:
        peer = attack.peer({4: size + 5})
        stream = peer.request("/test.Target/Flood", message(b"1 %d" % size), timeout, end=False)
        peer.wait(lambda f: f.kind == DATA and f.stream == stream, what="DATA")
        peer.send(frame(DATA, END_STREAM, stream))
        peer.expect_status(stream, "0")
    # No message at all.
    peer = attack.peer({4: 0})
    stream = peer.request("/test.Target/Flood", end=False)
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")


@case("H59-trailers-do-not-wait-for-other-calls")
def _(attack):
    # The connection's window is full of the answer of another call, which its reader leaves there.
    peer = attack.peer({4: 0x7FFFFFFF})
    calm = peer.request("/test.Target/Chat", message(b"x"), end=False)
    peer.wait(lambda f: f.kind == DATA and f.stream == calm, what="DATA")
    peer.request("/test.Target/Give", message(b"0 1000000"))
    peer.wait(lambda f: sum(len(body) for body in peer.bodies.values()) >= 65535, what="a full window")
    peer.send(frame(DATA, END_STREAM, calm))
    peer.expect_status(calm, "0")
