"""A stock gRPC server of grpc.testing.TestService, as gRPC's doc/interop-test-descriptions.md wants it.

Prints `ready PORT`; ends with the end of standard input. What Python cannot do is missing: a server does not see whether
a request came compressed (expect_compressed).
"""

import sys
import time
from concurrent import futures

import grpc

import stubs

empty, messages, services = stubs.load_testing()

INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def echo_metadata(context):
    metadata = dict(context.invocation_metadata())
    if INITIAL in metadata:
        context.send_initial_metadata(((INITIAL, metadata[INITIAL]),))
    if TRAILING in metadata:
        context.set_trailing_metadata(((TRAILING, metadata[TRAILING]),))


def echo_status(request, context):
    """Whether the call ends here."""
    if not request.HasField("response_status"):
        return False
    context.set_code(next(code for code in grpc.StatusCode if code.value[0] == request.response_status.code))
    context.set_details(request.response_status.message)
    return True


def payload(size):
    return messages.Payload(body=b"\0" * size)


class TestService(services.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return empty.Empty()

    def UnaryCall(self, request, context):
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo_metadata(context)
        if echo_status(request, context):
            return messages.SimpleResponse()
        return messages.SimpleResponse(payload=payload(request.response_size))

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return messages.StreamingInputCallResponse(aggregated_payload_size=size)

    def StreamingOutputCall(self, request, context):
        yield from self.answers(request, context)

    def FullDuplexCall(self, requests, context):
        echo_metadata(context)
        for request in requests:
            if echo_status(request, context):
                return
            yield from self.answers(request, context)

    def answers(self, request, context):
        if any(parameters.compressed.value for parameters in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        for parameters in request.response_parameters:
            time.sleep(parameters.interval_us / 1e6)
            if not parameters.compressed.value:
                context.disable_next_message_compression()
            yield messages.StreamingOutputCallResponse(payload=payload(parameters.size))


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    services.add_TestServiceServicer_to_server(TestService(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"ready {port}", flush=True)
    sys.stdin.read()
    server.stop(grace=0).wait()


if __name__ == "__main__":
    main()
