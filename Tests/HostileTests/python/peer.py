"""A peer that speaks HTTP/2 frame by frame, and as wrongly as it likes."""

import select
import socket
import struct
import time

import hpack
from hyperframe.frame import PingFrame, SettingsFrame, WindowUpdateFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
NAMES = "DATA HEADERS PRIORITY RST_STREAM SETTINGS PUSH_PROMISE PING GOAWAY WINDOW_UPDATE CONTINUATION".split()
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 1, 1, 4, 8, 32
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM) = range(12)


class Failure(Exception):
    """The other side did not do what it should."""


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    length = len(payload) if length is None else length
    return struct.pack(">BHBBI", length >> 16, length & 0xFFFF, kind, flags, stream) + payload


def rst(stream, code=CANCEL):
    return frame(RST, 0, stream, struct.pack(">I", code))


def window(stream, increment):
    return WindowUpdateFrame(stream, window_increment=increment).serialize()


def settings(values=(), ack=False):
    flags = ["ACK"] if ack else []
    return SettingsFrame(0, settings=dict(values), flags=flags).serialize()


def ping(data=b"12345678", ack=False):
    return PingFrame(0, opaque_data=data, flags=["ACK"] if ack else []).serialize()


def message(body=b"", flags=0, length=None):
    return struct.pack(">BI", flags, len(body) if length is None else length) + body


def literal(name, value, index=False):
    """One header field as HPACK writes it without a table or Huffman; lengths below 16 KiB."""
    return (b"\x40" if index else b"\x00") + text(name) + text(value)


def text(data):
    data = data.encode() if isinstance(data, str) else data
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, head = len(data) - 127, b"\x7f"
    while rest >= 128:
        head += bytes([rest & 127 | 128])
        rest >>= 7
    return head + bytes([rest]) + data


def ready(connection, seconds, reads=True, writes=False):
    """Whether it can be read, and written, waiting no longer than this. Unlike select(2), for any descriptor."""
    poll = select.poll()
    poll.register(connection, (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0))
    events = dict(poll.poll(max(0, seconds) * 1000)).get(connection.fileno(), 0)
    broken = events & (select.POLLERR | select.POLLHUP | select.POLLNVAL)
    return reads and bool(events & select.POLLIN or broken), writes and bool(events & select.POLLOUT or broken)


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def code(self):
        at = 4 if self.kind == GOAWAY else 0
        return struct.unpack_from(">I", self.payload, at)[0]

    def __repr__(self):
        name = NAMES[self.kind] if self.kind < 10 else str(self.kind)
        code = f" code {self.code}" if self.kind in (RST, GOAWAY) else ""
        return f"<{name} flags {self.flags} stream {self.stream} length {len(self.payload)}{code}>"


class Peer:
    """A connection from our side. Everything that it sends is sent while it reads, so that neither side can block."""

    def __init__(self, port, initial=(), preface=True, receive_buffer=None, acknowledges=True, source=None, host="127.0.0.1"):
        self.socket = socket.socket()
        if source:
            # Another client, as far as the server can see: all of 127.0.0.0/8 is this host.
            self.socket.bind((source, 0))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect((host, port))
        self.adopt(self.socket, acknowledges)
        if preface:
            self.send(PREFACE + settings(initial))
            if acknowledges:
                # Only then may it use the windows that the server offers.
                self.wait(lambda f: f.kind == SETTINGS, what="SETTINGS")
                self.pay()

    def adopt(self, connection, acknowledges=True):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self.socket = connection
        self.acknowledges = acknowledges
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.buffer, self.frames, self.is_closed = bytearray(), [], False
        self.next_stream = 1
        self.reads = True
        # Acknowledgements; they go out between two sends, never inside one.
        self.owed = b""
        self.fields = {}
        self.bodies = {}
        self.goaway = None

    def close(self):
        self.socket.close()
        self.is_closed = True

    # ---- out ----

    def send(self, data, patience=20):
        """False: the other side has closed."""
        owed, self.owed = self.owed, b""
        view = memoryview(owed + data if owed else data)
        end = time.monotonic() + patience
        while view and not self.is_closed:
            readable, writable = ready(self.socket, 0.5, reads=self.reads, writes=True)
            if readable:
                self.receive()
            if writable and not self.is_closed:
                try:
                    view = view[self.socket.send(view[:65536]):]
                    end = time.monotonic() + patience
                except BlockingIOError:
                    pass
                except OSError:
                    self.lost()
            if time.monotonic() > end:
                raise Failure(f"cannot send: {len(view)} bytes are left after {patience} s")
        return not self.is_closed

    def lost(self):
        # What came before the end can still be read.
        while self.receive():
            pass
        self.is_closed = True

    def repeat(self, data, times, until_closed=True):
        """Sends `data` so often, in pieces; stops when the other side has had enough."""
        each = max(1, 32768 // len(data))
        while times > 0:
            now = min(each, times)
            if not self.send(data * now) and until_closed:
                return
            if self.goaway is not None and until_closed:
                return
            times -= now

    def block(self, path="/test.Target/Echo", extra=(), method="POST"):
        fields = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h"), ("te", "trailers"),
                  ("content-type", "application/grpc")]
        return self.encoder.encode(fields + list(extra), huffman=False)

    def stream(self):
        self.next_stream += 2
        return self.next_stream - 2

    def request(self, path="/test.Target/Echo", body=None, extra=(), end=True, method="POST"):
        """Opens a stream; `body` is DATA as it is. Returns the stream's id."""
        stream = self.stream()
        has_end = END_STREAM if end and body is None else 0
        data = frame(HEADERS, END_HEADERS | has_end, stream, self.block(path, extra, method))
        if body is not None:
            data += frame(DATA, END_STREAM if end else 0, stream, body)
        self.send(data)
        return stream

    def call(self, path="/test.Target/Echo", body=b"hello", extra=(), patience=20):
        """A polite unary call: status and the messages' bytes."""
        stream = self.request(path, message(body), extra)
        return self.answer(stream, patience)

    def answer(self, stream, patience=20):
        """Waits for the end of the stream: grpc-status, or `RST code`, or `closed`."""
        self.wait(lambda f: f.stream == stream and (f.kind == RST or f.flags & END_STREAM and f.kind in (HEADERS, DATA)),
                  patience)
        return self.status(stream)

    def status(self, stream):
        fields = self.fields.get(stream, {})
        if "grpc-status" in fields:
            return fields["grpc-status"]
        for f in self.frames:
            if f.kind == RST and f.stream == stream:
                return f"RST {f.code}"
        if fields.get(":status", "200") != "200":
            return f"HTTP {fields[':status']}"
        return "closed" if self.is_closed else "nothing"

    # ---- in ----

    def receive(self):
        """Reads once. False: there was nothing."""
        try:
            data = self.socket.recv(262144)
        except BlockingIOError:
            return False
        except OSError:
            self.is_closed = True
            return False
        if not data:
            self.is_closed = True
            return False
        self.buffer += data
        self.parse()
        return True

    def parse(self):
        while len(self.buffer) >= 9:
            high, low, kind, flags, stream = struct.unpack_from(">BHBBI", self.buffer)
            length = high << 16 | low
            if len(self.buffer) < 9 + length:
                return
            got = Frame(kind, flags, stream & 0x7FFFFFFF, bytes(self.buffer[9:9 + length]))
            del self.buffer[:9 + length]
            self.frames.append(got)
            self.took(got)

    def took(self, got):
        if got.kind == SETTINGS and not got.flags & ACK and self.acknowledges:
            self.owed += settings(ack=True)
        elif got.kind == PING and not got.flags & ACK and self.acknowledges:
            self.owed += ping(got.payload, ack=True)
        elif got.kind == HEADERS:
            try:
                fields = self.decoder.decode(got.payload)
            except hpack.HPACKError as error:
                raise Failure(f"cannot decode {got}: {error}")
            self.fields.setdefault(got.stream, {}).update(dict(fields))
        elif got.kind == DATA:
            self.bodies[got.stream] = self.bodies.get(got.stream, b"") + got.payload
        elif got.kind == GOAWAY and got.code != NO_ERROR:
            self.goaway = got.code

    def pay(self):
        if self.owed and not self.is_closed:
            self.send(b"")

    def pump(self, seconds):
        end = time.monotonic() + seconds
        while not self.is_closed and time.monotonic() < end:
            if ready(self.socket, end - time.monotonic())[0]:
                self.receive()
                self.pay()

    def wait(self, wanted, patience=20, what="a frame"):
        """The first frame, also of those that came already, for which `wanted` is true; None: the peer has closed."""
        seen = 0
        end = time.monotonic() + patience
        while True:
            for got in self.frames[seen:]:
                if wanted(got):
                    return got
            seen = len(self.frames)
            if self.is_closed:
                return None
            if time.monotonic() > end:
                raise Failure(f"no {what} within {patience} s; last: {self.frames[-5:]}")
            if ready(self.socket, 0.5)[0]:
                self.receive()
                self.pay()

    def wait_for_close(self, patience=20):
        end = time.monotonic() + patience
        while not self.is_closed:
            if time.monotonic() > end:
                raise Failure(f"not closed within {patience} s; last: {self.frames[-5:]}")
            self.pump(0.2)

    # ---- expectations ----

    def expect_goaway(self, *codes, patience=20):
        self.wait(lambda f: f.kind == GOAWAY and f.code != NO_ERROR, patience, "GOAWAY")
        if self.goaway not in codes:
            raise Failure(f"GOAWAY {self.goaway}, not one of {codes}; last: {self.frames[-5:]}")
        self.wait_for_close(patience)

    def expect_rst(self, stream, *codes, patience=20):
        got = self.wait(lambda f: f.kind == RST and f.stream == stream or f.kind == GOAWAY, patience, "RST_STREAM")
        if got is None or got.kind == GOAWAY or got.code not in codes:
            raise Failure(f"{got} for stream {stream}, not RST_STREAM with one of {codes}; last: {self.frames[-5:]}")

    def expect_error(self, stream, *codes, patience=20):
        """A stream error, or the connection's end with the same code: RFC 9113, section 5.4 leaves the choice."""
        got = self.wait(lambda f: f.kind == RST and f.stream == stream or f.kind == GOAWAY and f.code != NO_ERROR,
                        patience, "error")
        if got is None or got.code not in codes:
            raise Failure(f"{got} for stream {stream}, not an error of {codes}; last: {self.frames[-5:]}")

    def expect_status(self, stream, *statuses, patience=20):
        status = self.answer(stream, patience)
        if status not in statuses:
            raise Failure(f"stream {stream} got '{status}', not one of {statuses}; last: {self.frames[-5:]}")

    def expect_alive(self):
        """The connection still serves."""
        status = self.call()
        if status != "0":
            raise Failure(f"the connection does not serve any more: {status}; last: {self.frames[-5:]}")


def credited(peer, stream, bytes_needed):
    """Waits until the stream's window has room; keeps count in the peer."""
    rooms = peer.__dict__.setdefault("rooms", {})
    room = rooms.get(stream, 256 << 10)
    end = time.monotonic() + 20
    while True:
        for got in [f for f in peer.frames if f.kind == WINDOW and f.stream == stream]:
            room += struct.unpack(">I", got.payload)[0]
            peer.frames.remove(got)
        if room >= bytes_needed:
            rooms[stream] = room - bytes_needed
            return True
        if peer.is_closed or peer.status(stream) != "nothing":
            return False
        if time.monotonic() > end:
            raise Failure(f"no credit: {room} of {bytes_needed}; {peer.frames[-3:]}")
        peer.pump(0.05)
