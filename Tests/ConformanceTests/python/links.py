"""A stock gRPC client: runs one named check over the kind of connection that TARGET and FOLDER say; 0 if it holds.

    links.py TARGET CHECK [FOLDER [NAME]]

TARGET is `localhost:PORT` or `unix:PATH`. With FOLDER the channel is secure: `home.crt` there is the authority, and
NAME.crt and NAME.key are what the client shows. The server offers interop.Test as server.py does.
"""

import sys
import time

import grpc

LIMIT = 60  # seconds; of every call that should end by itself
PATH = "/interop.Test/"

# PINGs far more often than servers like.
EAGER = {
    "grpc.keepalive_time_ms": 100, "grpc.keepalive_timeout_ms": 30_000, "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.max_pings_without_data": 0,
}
OPTIONS = {"pings_are_allowed": EAGER, "too_many_pings": EAGER}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def channel(target, check, folder=None, name=None):
    options = {"grpc.max_receive_message_length": -1, **OPTIONS.get(check, {})}
    if folder is None:
        return grpc.insecure_channel(target, options=list(options.items()))
    key, certificate = (read(f"{folder}/{name}.key"), read(f"{folder}/{name}.crt")) if name else (None, None)
    credentials = grpc.ssl_channel_credentials(read(f"{folder}/home.crt"), key, certificate)
    return grpc.secure_channel(target, credentials, options=list(options.items()))


def error_of(call):
    try:
        result = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"it did not fail: {result!r:.200}")


def calls(channel):
    """Small and large messages, unary and in streams."""
    echo = channel.unary_unary(PATH + "Echo")
    for size in (0, 10, 100_000, 5 << 20):
        assert echo(bytes(size), timeout=LIMIT) == bytes(size)
    chat = channel.stream_stream(PATH + "Chat")
    sent = [b"%d" % index for index in range(100)]
    assert list(chat(iter(sent), timeout=LIMIT)) == sent


def refused(channel):
    error = error_of(lambda: channel.unary_unary(PATH + "Echo")(b"x", timeout=LIMIT))
    assert error.code() == grpc.StatusCode.UNAVAILABLE, error


def pings_are_allowed(channel):
    """No data for a while, only PINGs; the call and the connection live on."""
    wait = channel.unary_unary(PATH + "Wait").future(b"", timeout=2)
    assert error_of(wait.result).code() == grpc.StatusCode.DEADLINE_EXCEEDED
    calls(channel)


def too_many_pings(channel):
    error = error_of(lambda: channel.unary_unary(PATH + "Wait")(b"", timeout=LIMIT))
    assert error.code() == grpc.StatusCode.UNAVAILABLE, error
    assert "ping" in error.details().lower(), error.details()


CHECKS = [calls, refused, pings_are_allowed, too_many_pings]


def main():
    target, name, *rest = sys.argv[1:]
    check = {check.__name__: check for check in CHECKS}[name]
    start = time.monotonic()
    check(channel(target, name, *rest))
    print(f"ok {name} {time.monotonic() - start:.3f} s")


if __name__ == "__main__":
    main()
