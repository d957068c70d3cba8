"""A stock gRPC client: runs one named check against the server on 127.0.0.1:PORT, and ends with 0 if it holds.

    client.py PORT CHECK

The server offers interop.Test as server.py does, grpc.health.v1.Health, grpc.reflection.v1 and v1alpha,
framemesh.v1.Detector and framemesh.v1.Vision.
"""

import os
import sys
import threading
import time

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

import stubs

LIMIT = 30  # seconds; of every call that should end by itself
PATH = "/interop.Test/"


class Test:
    """interop.Test, with plain bytes."""

    def __init__(self, port, **options):
        everything = {"grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1, **options}
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=list(everything.items()))
        for name in ("Echo", "Fail", "FailRichly", "Wait", "Await", "TimeLeft", "SetHealth", "Nothing"):
            setattr(self, name, self.channel.unary_unary(PATH + name))
        for name in ("Repeat", "FailLate"):
            setattr(self, name, self.channel.unary_stream(PATH + name))
        self.Collect = self.channel.stream_unary(PATH + "Collect")
        self.Chat = self.channel.stream_stream(PATH + "Chat")


class Feed:
    """An iterator of requests that a check feeds as it goes."""

    def __init__(self):
        self.items, self.changed, self.ended = [], threading.Condition(), False

    def send(self, item):
        with self.changed:
            self.items.append(item)
            self.changed.notify_all()

    def finish(self):
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def __iter__(self):
        return self

    def __next__(self):
        with self.changed:
            self.changed.wait_for(lambda: self.items or self.ended)
            if self.items:
                return self.items.pop(0)
            raise StopIteration


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r:.300}, wanted {wanted!r:.300}")


def error_of(call):
    """The status with which `call` fails."""
    try:
        result = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"it did not fail: {result!r:.200}")


# ---- the four kinds ----


def unary(test, port):
    equal(test.Echo(b"hello", timeout=LIMIT), b"hello")
    equal(test.Echo(b"", timeout=LIMIT), b"")
    for index in range(200):
        equal(test.Echo(b"%d" % index, timeout=LIMIT), b"%d" % index)


def client_stream(test, port):
    equal(test.Collect((bytes(size) for size in range(100)), timeout=LIMIT), b"100 4950")
    equal(test.Collect(iter([]), timeout=LIMIT), b"0 0")


def server_stream(test, port):
    got = list(test.Repeat(b"300 1000", timeout=LIMIT))
    equal(got, [bytes([index & 0xFF]) * 1000 for index in range(300)])
    equal(list(test.Repeat(b"0 1", timeout=LIMIT)), [])


def bidirectional(test, port):
    feed = Feed()
    answers = test.Chat(feed, timeout=LIMIT)
    for index in range(100):
        feed.send(b"%d" % index)
        equal(next(answers), b"%d" % index)
    feed.send(b"a")
    feed.send(b"b")
    feed.finish()
    equal(list(answers), [b"a", b"b"])
    equal(answers.code(), grpc.StatusCode.OK)


# ---- metadata and status ----

METADATA = (
    ("x-text", "plain text"), ("x-many", "1"), ("x-many", "2"), ("x-bytes-bin", b"\x00\xff\x10"), ("x-empty-bin", b""),
    ("x-bytes-bin", bytes(range(256))),
)


def metadata(test, port):
    response, call = test.Echo.with_call(b"m", metadata=METADATA, timeout=LIMIT)
    equal(response, b"m")
    equal([tuple(item) for item in call.initial_metadata() if item[0].startswith("x-")], list(METADATA))
    equal([tuple(item) for item in call.trailing_metadata()], [("trailing-" + key, value) for key, value in METADATA])
    # HTTP/2 forbids white space at the ends, and gRPC lets it be stripped.
    _, call = test.Echo.with_call(b"m", metadata=(("x-left", "  a b"), ("x-right", "c ")), timeout=LIMIT)
    equal([tuple(item) for item in call.initial_metadata() if item[0].startswith("x-")], [("x-left", "a b"), ("x-right", "c")])
    _, call = test.Echo.with_call(b"m", metadata=METADATA, timeout=LIMIT)
    # Nothing of the protocol itself shows as metadata.
    hidden = [key for key, _ in call.initial_metadata() if key.startswith(("grpc-", ":")) or key == "content-type"]
    equal(hidden, [])


def status(test, port):
    for code in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16):
        error = error_of(lambda: test.Fail(b"%d why" % code, timeout=LIMIT))
        equal((error.code().value[0], error.details()), (code, "why"))
    error = error_of(lambda: test.Fail("9 größer als 100 %\n日本語".encode(), timeout=LIMIT))
    equal((error.code(), error.details()), (grpc.StatusCode.FAILED_PRECONDITION, "größer als 100 %\n日本語"))
    equal(dict(error.trailing_metadata()).get("x-reason-bin"), b"\x00\xff")


def rich_status(test, port):
    error = error_of(lambda: test.FailRichly("5 größe".encode(), timeout=LIMIT))
    rich = rpc_status.from_call(error)
    equal((rich.code, rich.message, len(rich.details)), (5, "größe", 1))
    info = error_details_pb2.ErrorInfo()
    equal(rich.details[0].Unpack(info), True)
    equal((info.reason, info.domain), ("NOT_THERE", "interop"))


def status_after_messages(test, port):
    call = test.FailLate("10 später".encode(), timeout=LIMIT)
    equal(next(call), b"one")
    error = error_of(lambda: next(call))
    equal((error.code(), error.details()), (grpc.StatusCode.ABORTED, "später"))
    equal(dict(call.trailing_metadata()).get("x-reason-bin"), b"\x00\xff")


def unimplemented(test, port):
    equal(error_of(lambda: test.Nothing(b"", timeout=LIMIT)).code(), grpc.StatusCode.UNIMPLEMENTED)
    other = test.channel.unary_unary("/no.Such/Method")
    equal(error_of(lambda: other(b"", timeout=LIMIT)).code(), grpc.StatusCode.UNIMPLEMENTED)
    equal(test.Echo(b"still there", timeout=LIMIT), b"still there")


# ---- deadlines and cancellation ----


def deadline(test, port):
    equal(test.TimeLeft(b""), b"none")
    left = int(test.TimeLeft(b"", timeout=LIMIT))
    # Stock clients round the time up by up to a second.
    if not 0 < left <= LIMIT * 1000 + 1000:
        raise AssertionError(f"{left} ms are left of {LIMIT} s")
    equal(error_of(lambda: test.Wait(b"", timeout=0.3)).code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    # The handler is told, too.
    equal(test.Await(b"cancelled 1", timeout=LIMIT), b"1")


def cancellation(test, port):
    calls = [test.Wait.future(b"") for _ in range(3)]
    equal(test.Await(b"waiting 3", timeout=LIMIT), b"3")
    for call in calls:
        call.cancel()
    equal(test.Await(b"cancelled 3", timeout=LIMIT), b"3")
    stream = test.Repeat(b"1000000 1000")
    next(stream)
    stream.cancel()
    equal(error_of(lambda: list(stream)).code(), grpc.StatusCode.CANCELLED)
    equal(test.Echo(b"still there", timeout=LIMIT), b"still there")


# ---- sizes and numbers ----


def large(test, port):
    for size in (1 << 20, 5 << 20):
        message = os.urandom(size)
        equal(test.Echo(message, timeout=LIMIT) == message, True)
    equal(test.Collect((bytes(1 << 20) for _ in range(20)), timeout=LIMIT), b"20 %d" % (20 << 20))
    equal(sum(len(part) for part in test.Repeat(b"20 1048576", timeout=LIMIT)), 20 << 20)


def too_large_for_the_server(test, port):
    """The server takes plain messages of 8 MiB."""
    error = error_of(lambda: test.Echo(bytes((8 << 20) + 1), timeout=LIMIT))
    equal(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    equal(str(8 << 20) in error.details(), True)
    equal(len(test.Echo(bytes(8 << 20), timeout=LIMIT)), 8 << 20)


def too_large_for_the_client(test, port):
    small = Test(port, **{"grpc.max_receive_message_length": 1000})
    equal(error_of(lambda: small.Echo(bytes(1001), timeout=LIMIT)).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    equal(len(small.Echo(bytes(1000), timeout=LIMIT)), 1000)


def hundred_streams(test, port):
    feeds = [Feed() for _ in range(100)]
    streams = [test.Chat(feed, timeout=LIMIT) for feed in feeds]
    for turn in range(5):
        for index, feed in enumerate(feeds):
            feed.send(b"%d of %d" % (turn, index))
        for index, stream in enumerate(streams):
            equal(next(stream), b"%d of %d" % (turn, index))
    for feed in feeds:
        feed.finish()
    for stream in streams:
        equal(list(stream), [])
        equal(stream.code(), grpc.StatusCode.OK)


# ---- health ----

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def health_check(test, port):
    stub = health_pb2_grpc.HealthStub(test.channel)
    equal(stub.Check(health_pb2.HealthCheckRequest(), timeout=LIMIT).status, SERVING)
    test.SetHealth(b"NOT_SERVING some.Service", timeout=LIMIT)
    equal(stub.Check(health_pb2.HealthCheckRequest(service="some.Service"), timeout=LIMIT).status, NOT_SERVING)
    unknown = health_pb2.HealthCheckRequest(service="no.Such")
    equal(error_of(lambda: stub.Check(unknown, timeout=LIMIT)).code(), grpc.StatusCode.NOT_FOUND)


def health_watch(test, port):
    stub = health_pb2_grpc.HealthStub(test.channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service="later.Service"), timeout=LIMIT)
    equal(next(watch).status, SERVICE_UNKNOWN)
    for name, value in (("SERVING", SERVING), ("NOT_SERVING", NOT_SERVING), ("SERVING", SERVING)):
        test.SetHealth(f"{name} later.Service".encode(), timeout=LIMIT)
        equal(next(watch).status, value)
    watch.cancel()
    equal(error_of(lambda: next(watch)).code(), grpc.StatusCode.CANCELLED)


def health_list(test, port):
    stub = health_pb2_grpc.HealthStub(test.channel)
    test.SetHealth(b"NOT_SERVING some.Service", timeout=LIMIT)
    statuses = stub.List(health_pb2.HealthListRequest(), timeout=LIMIT).statuses
    equal({name: status.status for name, status in statuses.items()}, {"": SERVING, "some.Service": NOT_SERVING})


# ---- reflection ----

SERVICES = [
    "framemesh.v1.Detector", "framemesh.v1.Vision", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection", "interop.Test",
]


def reflection(test, port):
    """Knows nothing of framemesh.v1 but what the server tells."""
    database = ProtoReflectionDescriptorDatabase(test.channel)
    equal(sorted(database.get_services()), SERVICES)
    pool = descriptor_pool.DescriptorPool(database)
    methods = pool.FindServiceByName("framemesh.v1.Vision").methods_by_name
    equal(sorted(methods), ["Analyze", "AnalyzeStream", "ListNodes", "ListPipelines"])

    def call(method, request):
        return test.channel.unary_unary(
            f"/framemesh.v1.Vision/{method.name}", request_serializer=type(request).SerializeToString,
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )(request, timeout=LIMIT)

    listed = call(methods["ListPipelines"], message_factory.GetMessageClass(methods["ListPipelines"].input_type)())
    equal([(pipeline.name, list(pipeline.stages)) for pipeline in listed.pipelines], [("detect", ["detect"])])
    request = message_factory.GetMessageClass(methods["Analyze"].input_type)(pipeline="detect", pixels=b"abc")
    request.frame.stream = "south"
    equal(call(methods["Analyze"], request).stream, "south")


def reflection_requests(test, port):
    """Every kind of request, on one stream, of both versions; they are the same on the wire."""
    Request = reflection_pb2.ServerReflectionRequest
    extension = reflection_pb2.ExtensionRequest(containing_type="framemesh.v1.Frame", extension_number=7)
    requests = [
        Request(host="here", file_by_filename="grpc/health/v1/health.proto"),
        Request(file_by_filename="no/such.proto"),
        Request(file_containing_symbol="framemesh.v1.Detector.Detect"),
        Request(file_containing_symbol="framemesh.v1.No"),
        Request(file_containing_extension=extension),
        Request(all_extension_numbers_of_type="framemesh.v1.Frame"),
        Request(all_extension_numbers_of_type="framemesh.v1.No"),
        Request(list_services="*"),
        Request(),
    ]

    def files(answer):
        those = map(descriptor_pb2.FileDescriptorProto.FromString, answer.file_descriptor_response.file_descriptor_proto)
        return [file.name for file in those]

    for version in ("v1", "v1alpha"):
        method = test.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=Request.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        answers = list(method(iter(requests), timeout=LIMIT))
        equal([answer.original_request for answer in answers], requests)
        kinds = [answer.WhichOneof("message_response") for answer in answers]
        file, error = "file_descriptor_response", "error_response"
        equal(kinds, [
            file, error, file, error, error, "all_extension_numbers_response", error, "list_services_response", error])
        equal(files(answers[0]), ["grpc/health/v1/health.proto"])
        equal(files(answers[2]), ["framemesh/v1/framemesh.proto"])
        missing = grpc.StatusCode.NOT_FOUND.value[0]
        equal([answers[index].error_response.error_code for index in (1, 3, 4, 6)], [missing] * 4)
        equal(answers[5].all_extension_numbers_response.base_type_name, "framemesh.v1.Frame")
        equal([service.name for service in answers[7].list_services_response.service], SERVICES)


# ---- the end of a server ----


def drained(test, port):
    """Says `chatting` when a call runs; the server is drained while it does, and a line on standard input says so."""
    feed = Feed()
    answers = test.Chat(feed, timeout=LIMIT)
    feed.send(b"before")
    equal(next(answers), b"before")
    print("chatting", flush=True)
    sys.stdin.readline()
    for index in range(10):
        feed.send(b"%d" % index)
        equal(next(answers), b"%d" % index)
    equal(error_of(lambda: test.Echo(b"new", timeout=LIMIT)).code(), grpc.StatusCode.UNAVAILABLE)
    feed.finish()
    equal(list(answers), [])
    equal(answers.code(), grpc.StatusCode.OK)


# ---- framemesh.v1, by its own stubs ----


def picture(messages, size, sequence):
    pixels = os.urandom(size)
    frame = messages.Frame(
        stream="north", sequence=sequence, capture_time_us=-5, encoding=messages.BGR8, width=640, height=480)
    return frame, pixels


def saw(answer, pixels, sequence):
    """The Swift side answers with what it saw: length and sum of the pixels."""
    equal((answer.width, answer.height), (len(pixels), sum(pixels) & 0xFFFFFF))
    equal(answer.sequence, sequence)


def detector(test, port):
    messages, services = stubs.load()
    stub = services.DetectorStub(test.channel)
    for size in (0, 1, 1000, 640 * 480 * 3, 5_000_000):
        frame, pixels = picture(messages, size, size + 1)
        answer = stub.Detect(
            messages.DetectRequest(frame=frame, model="größe", min_confidence=0.25, pixels=pixels), timeout=LIMIT)
        saw(answer, pixels, size + 1)
        equal(answer.detections[0].label, "größe of north")
        equal(answer.detections[0].confidence, 0.25)

    sent = []

    def requests():
        for index in range(30):
            frame, pixels = picture(messages, 10_000 + index, index)
            sent.append(pixels)
            yield messages.DetectRequest(frame=frame, model="m", pixels=pixels)

    answers = list(stub.DetectStream(requests(), timeout=LIMIT))
    equal(len(answers), 30)
    for index, answer in enumerate(answers):
        saw(answer, sent[index], index)


def vision(test, port):
    messages, services = stubs.load()
    stub = services.VisionStub(test.channel)
    frame, pixels = picture(messages, 300_000, 3)
    answer = stub.Analyze(messages.AnalyzeRequest(frame=frame, pipeline="detect", pixels=pixels), timeout=LIMIT)
    saw(answer, pixels, 3)
    equal((answer.stream, answer.capture_time_us, answer.status), ("north", -5, messages.OK))
    sent = [picture(messages, 1000, index) for index in range(20)]
    requests = (messages.AnalyzeRequest(frame=frame, pipeline="detect", pixels=pixels) for frame, pixels in sent)
    answers = list(stub.AnalyzeStream(requests, timeout=LIMIT))
    equal([answer.sequence for answer in answers], list(range(20)))
    for (_, pixels), answer in zip(sent, answers):
        saw(answer, pixels, answer.sequence)
    pipelines = stub.ListPipelines(messages.ListPipelinesRequest(), timeout=LIMIT).pipelines
    equal([(pipeline.name, list(pipeline.stages)) for pipeline in pipelines], [("detect", ["detect"])])
    wrong = messages.AnalyzeRequest(frame=frame, pipeline="no such", pixels=pixels)
    error = error_of(lambda: stub.Analyze(wrong, timeout=LIMIT))
    equal((error.code(), error.details()), (grpc.StatusCode.INVALID_ARGUMENT, "pipeline 'no such' is not known"))


CHECKS = [
    unary, client_stream, server_stream, bidirectional, metadata, status, rich_status, status_after_messages,
    unimplemented, deadline, cancellation, large, too_large_for_the_server, too_large_for_the_client,
    hundred_streams, health_check, health_watch, health_list, reflection, reflection_requests, drained, detector,
    vision,
]


def main():
    port, name = int(sys.argv[1]), sys.argv[2]
    check = {check.__name__: check for check in CHECKS}[name]
    start = time.monotonic()
    check(Test(port), port)
    print(f"ok {name} {time.monotonic() - start:.3f} s")


if __name__ == "__main__":
    main()
