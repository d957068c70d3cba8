"""Server reflection: names that are none, messages in messages, and questions without end (G15)."""

import struct
import time

from cases import case
from peer import *

PATHS = ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
         "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"]


def field(number, content):
    """A length-delimited field of protobuf; numbers below 16."""
    length, head = len(content), b""
    while length >= 128:
        head += bytes([length & 127 | 128])
        length >>= 7
    return bytes([number << 3 | 2]) + head + bytes([length]) + content


FILE, SYMBOL, EXTENSION, EXTENSION_NUMBERS, LIST = 3, 4, 5, 6, 7


def nested(depth):
    content = b""
    for _ in range(depth):
        content = field(1, content)
    return content


for name, body in {
    "a-name-of-a-MiB": field(SYMBOL, b"a" * (1 << 20)), "a-name-that-is-not-UTF-8": field(FILE, b"\xff\xfe"),
    "a-group": b"\x1b\x1c", "a-length-beyond-the-message": b"\x1a\x7fa", "a-varint-of-11-bytes": b"\x08" + b"\xff" * 11,
}.items():
    # What is beyond the method's limit is refused before it is looked at: RESOURCE_EXHAUSTED. Else INVALID_ARGUMENT.
    status, reason = ("8", "message_bytes") if len(body) > 4096 else ("3", "protobuf")

    @case(f"G15-{name}", reason)
    def _(attack, body=body, status=status):
        for path in PATHS:
            peer = attack.peer()
            stream = peer.request(path, message(body) if len(body) < 9000 else None, end=False)
            for at in range(0, len(body), 9000) if len(body) >= 9000 else ():
                piece = body[at:at + 9000]
                if not credited(peer, stream, len(piece)):
                    break
                peer.send(frame(DATA, 0, stream, piece if at else message(piece, length=len(body))))
            peer.expect_status(stream, status)
            peer.expect_alive()


@case("G15-messages-in-messages")
def _(attack):
    # Unknown names all of them, or no question at all; each is answered, and nothing is walked into.
    peer = attack.peer()
    stream = peer.request(PATHS[0], end=False)
    bodies = [field(EXTENSION, field(1, b"a" * 100) + field(9, nested(1000))), field(EXTENSION, b""), field(9, nested(1000)), b"",
              field(1, nested(1000)), field(SYMBOL, b"." * 4000), field(FILE, b"../" * 1000), field(FILE, b""),
              field(EXTENSION_NUMBERS, b"no.Such"), field(FILE, b"a") * 1000 + field(SYMBOL, b"b")]
    for body in bodies:
        peer.send(frame(DATA, 0, stream, message(body)))
    peer.send(frame(DATA, END_STREAM, stream))
    peer.expect_status(stream, "0")
    answers, rest = 0, peer.bodies[stream]
    while rest:
        rest = rest[5 + struct.unpack(">I", rest[1:5])[0]:]
        answers += 1
    if answers != len(bodies):
        raise Failure(f"{answers} answers to {len(bodies)} questions")


@case("G15-questions-without-end", "reflection_requests")
def _(attack):
    peer = attack.peer({4: 0x7FFFFFFF})
    peer.send(window(0, 0x7FFF0000 - 65535))
    stream = peer.request(PATHS[0], end=False)
    data = message(field(SYMBOL, b"no.Such")) * 100
    for _ in range(1000):
        if peer.status(stream) != "nothing" or not credited(peer, stream, len(data)):
            break
        peer.send(frame(DATA, 0, stream, data))
        peer.bodies.clear()
    # RESOURCE_EXHAUSTED
    peer.expect_status(stream, "8")
    peer.expect_alive()


@case("G15-answers-that-nobody-reads")
def _(attack):
    # Each answer is hundreds of times its question.
    peer = attack.peer({4: 0})
    question = message(field(SYMBOL, b"grpc.health.v1.Health"))
    for _ in range(40):
        stream = peer.request(PATHS[0], end=False)
        for _ in range(20):
            peer.send(frame(DATA, 0, stream, question * 200))
    time.sleep(1)
    peer.pump(0.1)
    if peer.is_closed:
        raise Failure(f"closed: {peer.frames[-3:]}")
