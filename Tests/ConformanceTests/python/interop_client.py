"""A stock gRPC client: runs the test cases of gRPC's doc/interop-test-descriptions.md against 127.0.0.1:PORT.

    interop_client.py PORT CASE,CASE,… [AUTHORITIES.pem]

With a file of authorities, TLS is spoken, and the server's name must be localhost. Ends with 0 if all pass. What Python cannot do is missing: a client does not see whether an answer came compressed, nor
can it leave a single message of a compressed call uncompressed.
"""

import os
import queue
import sys
import threading

import grpc

import stubs

empty, messages, services = stubs.load_testing()

LIMIT = 60  # seconds; of every call that should end by itself
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"
REQUESTS = (27182, 8, 1828, 45904)
RESPONSES = (31415, 9, 2653, 58979)
COMPRESSIONS = (grpc.Compression.Gzip, grpc.Compression.Deflate)


def equal(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r:.300}, wanted {wanted!r:.300}")


def fails(code, call):
    try:
        result = call()
    except grpc.RpcError as error:
        equal(error.code(), code)
        return error
    raise AssertionError(f"it did not fail: {result!r:.200}")


def payload(size):
    return messages.Payload(body=b"\0" * size)


def flag(value):
    return messages.BoolValue(value=value)


def large(**fields):
    return messages.SimpleRequest(response_size=314159, payload=payload(271828), **fields)


def ping(size, answer):
    return messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=answer)], payload=payload(size))


def empty_unary(stub):
    equal(stub.EmptyCall(empty.Empty(), timeout=LIMIT), empty.Empty())


def large_unary(stub):
    equal(stub.UnaryCall(large(), timeout=LIMIT), messages.SimpleResponse(payload=payload(314159)))


def client_streaming(stub):
    requests = (messages.StreamingInputCallRequest(payload=payload(size)) for size in REQUESTS)
    equal(stub.StreamingInputCall(requests, timeout=LIMIT).aggregated_payload_size, 74922)


def server_streaming(stub):
    request = messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=size) for size in RESPONSES])
    answers = list(stub.StreamingOutputCall(request, timeout=LIMIT))
    equal([len(answer.payload.body) for answer in answers], list(RESPONSES))


def ping_pong(stub):
    requests = queue.SimpleQueue()
    answers = stub.FullDuplexCall(iter(requests.get, None), timeout=LIMIT)
    for request, response in zip(REQUESTS, RESPONSES):
        requests.put(ping(request, response))
        equal(len(next(answers).payload.body), response)
    requests.put(None)
    equal(list(answers), [])


def empty_stream(stub):
    equal(list(stub.FullDuplexCall(iter(()), timeout=LIMIT)), [])


def client_compressed_unary(stub):
    fails(grpc.StatusCode.INVALID_ARGUMENT,
          lambda: stub.UnaryCall(large(expect_compressed=flag(True)), timeout=LIMIT))
    for compression in COMPRESSIONS:
        answer = stub.UnaryCall(large(expect_compressed=flag(True)), timeout=LIMIT, compression=compression)
        equal(len(answer.payload.body), 314159)
    answer = stub.UnaryCall(large(expect_compressed=flag(False)), timeout=LIMIT)
    equal(len(answer.payload.body), 314159)


def client_compressed_streaming(stub):
    def request(size, expected):
        return messages.StreamingInputCallRequest(payload=payload(size), expect_compressed=flag(expected))

    fails(grpc.StatusCode.INVALID_ARGUMENT,
          lambda: stub.StreamingInputCall(iter([request(27182, True)]), timeout=LIMIT))
    for compression in COMPRESSIONS:
        answer = stub.StreamingInputCall(
            iter([request(27182, True), request(45904, True)]), timeout=LIMIT, compression=compression)
        equal(answer.aggregated_payload_size, 73086)


def server_compressed_unary(stub):
    for wanted in (True, False):
        equal(len(stub.UnaryCall(large(response_compressed=flag(wanted)), timeout=LIMIT).payload.body), 314159)


def server_compressed_streaming(stub):
    request = messages.StreamingOutputCallRequest(response_parameters=[
        messages.ResponseParameters(compressed=flag(True), size=31415),
        messages.ResponseParameters(compressed=flag(False), size=92653)])
    answers = list(stub.StreamingOutputCall(request, timeout=LIMIT))
    equal([len(answer.payload.body) for answer in answers], [31415, 92653])


def custom_metadata(stub):
    metadata = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab"))
    _, call = stub.UnaryCall.with_call(large(), timeout=LIMIT, metadata=metadata)
    equal(dict(call.initial_metadata())[INITIAL], "test_initial_metadata_value")
    equal(dict(call.trailing_metadata())[TRAILING], b"\xab\xab\xab")
    call = stub.FullDuplexCall(iter([ping(271828, 314159)]), timeout=LIMIT, metadata=metadata)
    equal([len(answer.payload.body) for answer in call], [314159])
    equal(dict(call.initial_metadata())[INITIAL], "test_initial_metadata_value")
    equal(dict(call.trailing_metadata())[TRAILING], b"\xab\xab\xab")


def status_code_and_message(stub):
    status = messages.EchoStatus(code=2, message="test status message")
    error = fails(grpc.StatusCode.UNKNOWN,
                  lambda: stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=LIMIT))
    equal(error.details(), status.message)
    request = messages.StreamingOutputCallRequest(response_status=status)
    error = fails(grpc.StatusCode.UNKNOWN, lambda: list(stub.FullDuplexCall(iter([request]), timeout=LIMIT)))
    equal(error.details(), status.message)


def special_status_message(stub):
    message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    request = messages.SimpleRequest(response_status=messages.EchoStatus(code=2, message=message))
    error = fails(grpc.StatusCode.UNKNOWN, lambda: stub.UnaryCall(request, timeout=LIMIT))
    equal(error.details(), message)


def unimplemented_method(stub):
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: stub.UnimplementedCall(empty.Empty(), timeout=LIMIT))


def unimplemented_service(stub):
    other = services.UnimplementedServiceStub(stub.channel)
    fails(grpc.StatusCode.UNIMPLEMENTED, lambda: other.UnimplementedCall(empty.Empty(), timeout=LIMIT))


class Never:
    """Requests that never come."""

    def __iter__(self):
        return self

    def __next__(self):
        threading.Event().wait(LIMIT)
        raise StopIteration


def cancel_after_begin(stub):
    call = stub.StreamingInputCall.future(Never())
    call.cancel()
    equal(call.cancelled(), True)
    equal(call.code(), grpc.StatusCode.CANCELLED)


def cancel_after_first_response(stub):
    def requests():
        yield ping(27182, 31415)
        yield from Never()

    call = stub.FullDuplexCall(requests(), timeout=LIMIT)
    equal(len(next(call).payload.body), 31415)
    call.cancel()
    fails(grpc.StatusCode.CANCELLED, lambda: next(call))


def timeout_on_sleeping_server(stub):
    stub.EmptyCall(empty.Empty(), timeout=LIMIT)
    request = messages.StreamingOutputCallRequest(payload=payload(27182))

    def requests():
        yield request
        yield from Never()

    fails(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(stub.FullDuplexCall(requests(), timeout=0.001)))


def main():
    address = f"localhost:{sys.argv[1]}"
    if len(sys.argv) > 3:
        with open(sys.argv[3], "rb") as file:
            channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))
    else:
        channel = grpc.insecure_channel(address)
    stub = services.TestServiceStub(channel)
    stub.channel = channel
    for name in sys.argv[2].split(","):
        globals()[name](stub)
        print(f"PASS {name}", flush=True)
    # Threads that wait in Never are not waited for.
    os._exit(0)


if __name__ == "__main__":
    main()
