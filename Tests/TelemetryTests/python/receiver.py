"""A receiver of traces, made of stock gRPC and OpenTelemetry's own messages."""

import threading
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from programs import until


class Span:
    """One span, with what its resource says."""

    def __init__(self, resource, span):
        self.resource = {pair.key: value(pair.value) for pair in resource.attributes}
        self.service = self.resource["service.name"]
        self.trace, self.id, self.parent = span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()
        self.name, self.kind, self.state = span.name, span.kind, span.trace_state
        self.start, self.end = span.start_time_unix_nano, span.end_time_unix_nano
        self.attributes = {pair.key: value(pair.value) for pair in span.attributes}
        self.status = span.status.code
        self.links = [link.trace_id.hex() for link in span.links]

    def __repr__(self):
        return f"{self.service}:{self.name}"


def value(any_value):
    kind = any_value.WhichOneof("value")
    return getattr(any_value, kind) if kind else None


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self):
        self._lock = threading.Lock()
        self._spans = []
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._server.start()

    def Export(self, request, context):
        spans = [
            Span(group.resource, span) for group in request.resource_spans for scope in group.scope_spans
            for span in scope.spans]
        with self._lock:
            self._spans += spans
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self):
        with self._lock:
            return list(self._spans)

    def trace(self, trace):
        return [span for span in self.spans() if span.trace == trace]

    def whole(self, trace, names):
        """The spans of a trace, once it has as many of each name as `names` says."""

        def found():
            spans = self.trace(trace)
            counts = {name: sum(span.name == name for span in spans) for name in names}
            return spans if all(counts[name] >= count for name, count in names.items()) else None

        try:
            return until(f"trace {trace} has {names}", found, patience=60)
        except AssertionError:
            raise AssertionError(f"{names} are not in {sorted(map(repr, self.trace(trace)))}") from None

    def stop(self):
        self._server.stop(None)
