"""A stock gRPC server on a free port: the services interop.Test, grpc.health.v1.Health and framemesh.v1.Detector.

    server.py [OPTION=NUMBER ...]       channel options of gRPC, such as grpc.max_connection_age_ms=500
    server.py tls=FOLDER [mutual=1]     TLS with server.crt and server.key; mutual: clients are certified by home.crt

Prints `ready PORT`. A line `stop` on standard input stops it gracefully (GOAWAY; running calls may finish); the end of
standard input stops it at once.

interop.Test takes and gives plain bytes; Tests/ConformanceTests/InteropService.swift is the same in Swift:
  Echo      unary          the request; metadata x-* comes back first, and as trailing-x-* at the end
  Collect   client stream  "COUNT BYTES" of what was sent
  Repeat    server stream  request "COUNT BYTES": so many messages of so many bytes, each filled with its index
  Chat      bidirectional  each message as it comes
  Fail      unary          request "CODE MESSAGE": that status, with the trailer x-reason-bin = 00 ff
  FailRichly unary         request "CODE MESSAGE": that status, with a google.rpc.ErrorInfo NOT_THERE of interop
  FailLate  server stream  one message, then as Fail
  Wait      unary          no answer; ends with the call
  Await     unary          request "waiting|cancelled COUNT": answers once so many Wait calls have started or were cancelled
  TimeLeft  unary          milliseconds until the call's deadline, or "none"
  Peer      unary          the address that the call came from (here only)
  SetHealth unary          request "STATUS SERVICE": sets a status of the health service
"""

import sys
import threading
from concurrent import futures

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status

import stubs

CALLS_AT_ONCE = 160
CODES = {code.value[0]: code for code in grpc.StatusCode}


class Waits:
    """How many Wait calls have started and how many were cancelled."""

    def __init__(self):
        self.changed = threading.Condition()
        self.counts = {"waiting": 0, "cancelled": 0}

    def count(self, what):
        with self.changed:
            self.counts[what] += 1
            self.changed.notify_all()

    def reach(self, what, count):
        with self.changed:
            self.changed.wait_for(lambda: self.counts[what] >= count, timeout=20)
            return self.counts[what]


waits = Waits()
health_servicer = health.HealthServicer()


def echo(request, context):
    user = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
    context.send_initial_metadata(user)
    context.set_trailing_metadata([("trailing-" + key, value) for key, value in user])
    return request


def collect(requests, context):
    count = size = 0
    for request in requests:
        count += 1
        size += len(request)
    return b"%d %d" % (count, size)


def repeat(request, context):
    count, size = map(int, request.split())
    for index in range(count):
        yield bytes([index & 0xFF]) * size


def chat(requests, context):
    for request in requests:
        yield request


def fail(request, context):
    code, message = request.decode().split(" ", 1)
    context.set_trailing_metadata([("x-reason-bin", b"\x00\xff")])
    context.abort(CODES[int(code)], message)


def fail_richly(request, context):
    code, message = request.decode().split(" ", 1)
    rich = status_pb2.Status(code=int(code), message=message)
    rich.details.add().Pack(error_details_pb2.ErrorInfo(reason="NOT_THERE", domain="interop"))
    context.abort_with_status(rpc_status.to_status(rich))


def fail_late(request, context):
    yield b"one"
    fail(request, context)


def wait(request, context):
    ended = threading.Event()

    def note():
        waits.count("cancelled")
        ended.set()

    if context.add_callback(note):
        waits.count("waiting")
        ended.wait()
    return b""


def reach(request, context):
    what, count = request.decode().split()
    return b"%d" % waits.reach(what, int(count))


def time_left(request, context):
    left = context.time_remaining()
    # No deadline: a stock server says so by None, or by a time far beyond any deadline.
    return b"none" if left is None or left > 1e6 else b"%d" % (left * 1000)


def peer(request, context):
    return context.peer().encode()


def set_health(request, context):
    status, _, service = request.decode().partition(" ")
    health_servicer.set(service, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    return b""


HANDLERS = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Collect": grpc.stream_unary_rpc_method_handler(collect),
    "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "FailRichly": grpc.unary_unary_rpc_method_handler(fail_richly),
    "FailLate": grpc.unary_stream_rpc_method_handler(fail_late),
    "Wait": grpc.unary_unary_rpc_method_handler(wait),
    "Await": grpc.unary_unary_rpc_method_handler(reach),
    "TimeLeft": grpc.unary_unary_rpc_method_handler(time_left),
    "Peer": grpc.unary_unary_rpc_method_handler(peer),
    "SetHealth": grpc.unary_unary_rpc_method_handler(set_health),
}


def detector(messages, services):
    """Answers with what it saw, so that the client can tell that each byte arrived."""

    class Detector(services.DetectorServicer):
        def Detect(self, request, context):
            return messages.DetectResponse(
                width=len(request.pixels), height=sum(request.pixels) & 0xFFFFFF, sequence=request.frame.sequence,
                detections=[messages.Detection(
                    class_id=7, label=f"{request.model} of {request.frame.stream}", confidence=request.min_confidence,
                    box=messages.Box(x=1, y=2, width=3, height=4))],
                timing=[messages.Timing(stage="python", duration_us=12)])

        def DetectStream(self, requests, context):
            for request in requests:
                yield self.Detect(request, context)

    return Detector()


def credentials(folder, mutual):
    def read(name):
        with open(f"{folder}/{name}", "rb") as file:
            return file.read()

    pair = (read("server.key"), read("server.crt"))
    return grpc.ssl_server_credentials([pair], read("home.crt") if mutual else None, require_client_auth=mutual)


def main():
    options = {"grpc.max_receive_message_length": 8 << 20, "grpc.max_send_message_length": -1}
    links = {"tls": None, "mutual": "0"}
    for argument in sys.argv[1:]:
        name, value = argument.split("=")
        if name in links:
            links[name] = value
        else:
            options[name] = int(value)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=CALLS_AT_ONCE), options=list(options.items()))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("interop.Test", HANDLERS)])
    health_servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    messages, services = stubs.load()
    services.add_DetectorServicer_to_server(detector(messages, services), server)
    if links["tls"]:
        port = server.add_secure_port("127.0.0.1:0", credentials(links["tls"], links["mutual"] == "1"))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"ready {port}", flush=True)
    for line in sys.stdin:
        if line.strip() == "stop":
            server.stop(grace=20).wait()
            print("stopped", flush=True)
            return
    server.stop(grace=0).wait()


if __name__ == "__main__":
    main()
