"""The beginning of a connection: preface, SETTINGS, the first streams (H01 to H08)."""

import os
import struct
import time

from cases import SCALE, case
from peer import *


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


@case("H02-preface-byte-by-byte", "handshake_timeout", arguments=["--handshake-seconds", "2"], rests=True)
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


@case("H03-descriptors-run-out", descriptors=64)
def _(attack):
    # More than the process has room for: they wait in the kernel's queue, and whoever is in is served.
    peers = [attack.peer(preface=False, acknowledges=False) for _ in range(100)]
    time.sleep(0.5)
    before = attack.target.cpu()
    time.sleep(2)
    load = (attack.target.cpu() - before) / 2
    attack.notes.append(f"{load:.0%} of a core while there are no descriptors")
    if load > 0.5:
        raise Failure(f"{load:.0%} of a core while there are no descriptors")
    most = attack.target.descriptors()
    if most < 56:
        raise Failure(f"only {most} descriptors were in use")
    for peer in peers:
        peer.close()
    late = attack.peer(preface=False)
    late.send(PREFACE + settings())
    late.expect_alive()


@case("H04-preface-without-settings", "handshake_timeout", arguments=["--handshake-seconds", "2"], rests=True)
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
