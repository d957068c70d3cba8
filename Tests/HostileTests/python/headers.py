"""Header blocks: CONTINUATION, HPACK, fields that HTTP does not allow (H10 to H18)."""

from cases import case
from peer import *


MAX_CONTINUATIONS = 8

for name, fragment in {"continuations": literal("x-a", "b" * 1000), "empty-continuations": b""}.items():
    @case(f"H10-{name}-beyond-the-limit", "continuations")
    def _(attack, fragment=fragment):
        # Nothing comes behind the one that is too many, so that the goodbye can be read.
        peer = attack.peer()
        peer.send(frame(HEADERS, 0, 1, peer.block()) + frame(CONTINUATION, 0, 1, fragment) * MAX_CONTINUATIONS)
        peer.pump(0.2)
        if peer.is_closed or peer.goaway is not None:
            raise Failure(f"ended within the limit: {peer.frames[-3:]}")
        peer.send(frame(CONTINUATION, 0, 1, fragment))
        peer.expect_goaway(ENHANCE_YOUR_CALM)

    @case(f"H10-{name}-flood", "continuations")
    def _(attack, fragment=fragment):
        peer = attack.peer()
        peer.send(frame(HEADERS, 0, 1, peer.block()))
        peer.repeat(frame(CONTINUATION, 0, 1, fragment), 20_000 if fragment else 100_000)
        peer.wait_for_close()
        # What was on its way may make TCP take the goodbye back.
        if peer.goaway not in (ENHANCE_YOUR_CALM, None):
            raise Failure(f"GOAWAY {peer.goaway}")


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


@case("H12-many-heads-at-once-of-peers-that-say-nothing-more", budget=64 << 20)
def _(attack):
    # 300 heads of 15 KiB in one read, each reset at once, on each of 60 connections; after the last one nothing comes.
    entries = literal("x", "v" * 3900, index=True)
    for name, value in ((":authority", "h"), (":path", "/test.Target/None")):
        entries = literal(name, value, index=True) + entries
    method_and_scheme, table, content = b"\x83\x86", b"\xc0\xbf", literal("content-type", "application/grpc")
    for _ in range(60):
        peer = attack.peer()
        first = peer.stream()
        flight = frame(HEADERS, END_HEADERS, first, method_and_scheme + entries + content) + rst(first)
        for _ in range(300):
            stream = peer.stream()
            flight += frame(HEADERS, END_HEADERS, stream, method_and_scheme + table + b"\xbe" * 4 + content) + rst(stream)
        last = peer.stream()
        peer.send(flight + frame(HEADERS, END_HEADERS | END_STREAM, last, method_and_scheme + table + content))
        peer.expect_status(last, "12")


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
