"""Servers that behave badly, one on a port each; says `NAME PORT` for each and serves until its input ends.

Each waits for the first request of a connection, unless it is bad before that, and then does its one thing.
"""

import socket
import struct
import sys
import threading
import time

import hpack
from peer import *

HEAD = [(":status", "200"), ("content-type", "application/grpc")]
OK = [("grpc-status", "0")]


class Server(Peer):
    """The other end of our client's connection."""

    def __init__(self, connection, initial=(), acknowledges=True):
        self.adopt(connection, acknowledges)
        end = time.monotonic() + 10
        while len(self.buffer) < len(PREFACE) and not self.is_closed and time.monotonic() < end:
            self.read_preface()
        del self.buffer[:len(PREFACE)]
        self.parse()
        # Its own SETTINGS come first, then the acknowledgement.
        owed, self.owed = self.owed, b""
        self.send(settings(initial) + owed)

    def read_preface(self):
        select.select([self.socket], [], [], 0.5)
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        self.is_closed = not data
        self.buffer += data

    def awaited(self):
        """The stream of the first request, when it is whole."""
        got = self.wait(lambda f: f.kind == HEADERS, what="request")
        if got is None:
            raise Failure("no request")
        self.wait(lambda f: f.stream == got.stream and f.flags & END_STREAM and f.kind in (HEADERS, DATA), what="request")
        return got.stream

    def head(self, stream, fields, end=False):
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.encoder.encode(fields))

    def good(self, stream, trailers=OK, body=message(b"hello")):
        return self.head(stream, HEAD) + frame(DATA, 0, stream, body) + self.head(stream, trailers, True)


def goaway(last):
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, NO_ERROR))


BEHAVIOURS = {}


def behaviour(name, initial=(), acknowledges=True):
    def add(body):
        BEHAVIOURS[name] = (body, initial, acknowledges)
        return body

    return add


def answering(name, make, initial=()):
    """Sends what `make(server, stream)` gives for the first request."""

    @behaviour(name, initial)
    def _(server):
        server.send(make(server, server.awaited()))


answering("good", lambda s, n: s.good(n))


@behaviour("polite")
def _(server):
    """Serves any number of calls, one at a time."""
    while True:
        got = server.wait(lambda f: f.kind == HEADERS, 3600, "request")
        if got is None:
            return
        server.wait(lambda f: f.stream == got.stream and f.flags & END_STREAM and f.kind in (HEADERS, DATA), what="request")
        server.frames.clear()
        server.bodies.clear()
        server.send(server.good(got.stream))


@behaviour("never-acknowledges", acknowledges=False)
def _(server):
    server.send(server.good(server.awaited()))


answering("streams-0", lambda s, n: b"", {3: 0})
answering("window-0", lambda s, n: b"", {4: 0})
answering("no-status", lambda s, n: s.head(n, [("content-type", "application/grpc")]))
answering("a-thousand-1xx", lambda s, n: b"".join(s.head(n, [(":status", "103")]) for _ in range(1000)) + s.good(n))
answering("no-grpc-status", lambda s, n: s.head(n, HEAD, True))
answering("no-trailers", lambda s, n: s.head(n, HEAD) + frame(DATA, END_STREAM, n, message(b"x")))
answering("html", lambda s, n: s.head(n, [(":status", "200"), ("content-type", "text/html")]) + frame(DATA, END_STREAM, n, b"<p>"))
for status in [400, 401, 403, 404, 429, 500, 502, 503, 504, 302]:
    answering(f"http-{status}", lambda s, n, status=status: s.head(n, [(":status", str(status))], True))
for name, status in {"999": "999", "minus": "-1", "empty": "", "word": "ok", "huge": "9" * 100}.items():
    answering(f"grpc-status-{name}", lambda s, n, status=status: s.good(n, [("grpc-status", status)]))
answering("bad-percent", lambda s, n: s.head(n, HEAD + [("grpc-status", "3"), ("grpc-message", "%zz%4%")], True))
answering("long-message", lambda s, n: s.head(n, HEAD + [("grpc-status", "3"), ("grpc-message", "m" * 12_000)], True))
answering("long-trailers", lambda s, n: s.good(n, [("grpc-status", "0")] + [(f"x-{i}", "v" * 400) for i in range(100)]))
answering("message-over-the-limit", lambda s, n: s.head(n, HEAD) + frame(DATA, 0, n, message(length=1 << 30)))
answering("two-messages", lambda s, n: s.good(n, body=message(b"a") * 2))
answering("unknown-flag", lambda s, n: s.good(n, body=message(b"a", 64)))
answering("compressed-unasked", lambda s, n: s.good(n, body=message(b"a", 1)))
answering("end-inside-a-message", lambda s, n: s.good(n, body=message(b"a", length=9)))
answering("data-before-head", lambda s, n: frame(DATA, 0, n, message(b"x")))
answering("data-after-the-end", lambda s, n: s.good(n) + frame(DATA, 0, n, b"x" * 10))
answering("reset-after-the-end", lambda s, n: s.good(n) + rst(n, NO_ERROR))
answering("headers-after-the-end", lambda s, n: s.good(n) + s.head(n, HEAD))
answering("push-promise", lambda s, n: frame(PUSH, END_HEADERS, n, struct.pack(">I", 2) + s.encoder.encode(HEAD)))
answering("refused", lambda s, n: rst(n, REFUSED_STREAM))
answering("calm-down", lambda s, n: rst(n, ENHANCE_YOUR_CALM))
answering("goaway-below", lambda s, n: goaway(0))
answering("goaway-at-and-answer", lambda s, n: goaway(n) + s.good(n))
answering("goaway-falling", lambda s, n: b"".join(goaway(last) for last in (0x7FFFFFFF, n + 100, n)) + s.good(n))
answering("goaway-rising", lambda s, n: goaway(n) + goaway(n + 2))
answering("goaway-even", lambda s, n: goaway(n + 1))
answering("answer-to-another-stream", lambda s, n: s.good(n + 2) + s.good(n))
answering("even-stream", lambda s, n: s.good(2))
answering("bad-hpack", lambda s, n: frame(HEADERS, END_HEADERS, n, b"\x80"))
answering("frame-too-large", lambda s, n: s.head(n, HEAD) + frame(DATA, 0, n, bytes((1 << 20) + 1)))
answering("window-overflow", lambda s, n: window(0, 0x7FFFFFFF))
answering("upper-case", lambda s, n: frame(HEADERS, END_HEADERS, n, b"\x88" + literal("X-Y", "z")))
answering("header-bomb", lambda s, n: frame(HEADERS, 0, n, b"\x88" + literal("x", "", index=True)) +
          b"".join(frame(CONTINUATION, 0, n, b"\xbe" * 16384) for _ in range(7)))


answering("half-an-answer", lambda s, n: s.head(n, HEAD) + frame(DATA, 0, n, message(b"a" * 1000, length=1 << 20)))


@behaviour("dripping-answer")
def _(server):
    stream = server.awaited()
    server.send(server.head(stream, HEAD) + frame(DATA, 0, stream, message(length=1 << 20)))
    while not server.is_closed:
        server.send(frame(DATA, 0, stream, b"drop"))
        server.pump(0.1)


@behaviour("no-status-after-an-answer")
def _(server):
    stream = server.awaited()
    server.send(server.head(stream, HEAD))
    server.send(frame(DATA, 0, stream, message(b"a" * 100_000)))


@behaviour("endless-answer")
def _(server):
    stream = server.awaited()
    server.send(server.head(stream, HEAD))
    server.repeat(frame(DATA, 0, stream, message(b"x" * 100) * 100), 100_000)


@behaviour("settings-flood")
def _(server):
    server.awaited()
    server.repeat(settings({4: 65535}), 100_000)


@behaviour("ping-flood")
def _(server):
    server.awaited()
    server.repeat(ping(), 1_000_000)


def flood(name, make):
    """Sends what `make(server, stream)` gives, again and again, for the first request."""

    @behaviour(name)
    def _(server):
        stream = server.awaited()
        server.repeat(make(server, stream), 100_000)


flood("1xx-flood", lambda s, n: frame(HEADERS, END_HEADERS, n, literal(":status", "103")))
flood("window-update-flood", lambda s, n: window(n, 1))
flood("connection-update-flood", lambda s, n: window(0, 1))
flood("priority-flood", lambda s, n: frame(PRIORITY, 0, n, bytes(5)))
flood("unknown-type-flood", lambda s, n: frame(0xF0, 0, n, b"whatever"))
flood("pong-flood", lambda s, n: ping(ack=True))
# Above the last stream, so that the call goes on.
flood("goaway-flood", lambda s, n: goaway(0x7FFFFFFF))


@behaviour("push-flood", acknowledges=False)
def _(server):
    """Promises without having heard that it may not: each is reset."""
    stream = server.awaited()
    for first in range(2, 1_000_000, 2000):
        promised = range(first, first + 2000, 2)
        promises = [frame(PUSH, END_HEADERS, stream, struct.pack(">I", each) + b"\x82\x86\x84") for each in promised]
        if not server.send(b"".join(promises)) or server.goaway is not None:
            return


@behaviour("dead-stream-flood")
def _(server):
    stream = server.awaited()
    server.send(server.good(stream))
    server.repeat(frame(DATA, END_STREAM, stream), 100_000)


@behaviour("continuation-flood")
def _(server):
    stream = server.awaited()
    server.send(frame(HEADERS, 0, stream, b"\x88"))
    server.repeat(frame(CONTINUATION, 0, stream, b""), 100_000)


@behaviour("empty-data-flood")
def _(server):
    stream = server.awaited()
    server.send(server.head(stream, HEAD))
    server.repeat(frame(DATA, 0, stream), 100_000)


@behaviour("empty-message-flood")
def _(server):
    stream = server.awaited()
    server.send(server.head(stream, HEAD))
    server.repeat(frame(DATA, 0, stream, bytes(5) * 2000), 10_000)


def raw(name, act):
    @behaviour(name, None)
    def _(connection):
        act(connection)


raw("silent", lambda connection: time.sleep(30))
raw("closes", lambda connection: connection.close())
raw("http1", lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
raw("garbage", lambda connection: connection.sendall(bytes(range(256)) * 100))
raw("tls-alert", lambda connection: connection.sendall(b"\x15\x03\x01\x00\x02\x02\x28"))


# The kernel takes its connections, and nobody else does.
BEHAVIOURS["never-accepts"] = None


def serve(listener, *behaviour):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=attend, args=(connection, *behaviour), daemon=True).start()


def attend(connection, body, initial, acknowledges):
    try:
        if initial is None:
            body(connection)
            time.sleep(10)
            return
        server = Server(connection, initial, acknowledges)
        body(server)
        while not server.is_closed:
            server.pump(1)
    except (Failure, OSError):
        pass
    finally:
        connection.close()


def main():
    listeners = []
    for name, behaves in BEHAVIOURS.items():
        listener = socket.socket()
        listeners.append(listener)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        print(name, listener.getsockname()[1], flush=True)
        if behaves is not None:
            threading.Thread(target=serve, args=(listener, *behaves), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
