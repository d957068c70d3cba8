import CTraceMessages
import NIOCore
import ProtobufStructs
import Tracing

private typealias CRequest = Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest
private typealias CResourceSpans = Opentelemetry__Proto__Trace__V1__ResourceSpans
private typealias CScopeSpans = Opentelemetry__Proto__Trace__V1__ScopeSpans
private typealias CScope = Opentelemetry__Proto__Common__V1__InstrumentationScope
private typealias CResource = Opentelemetry__Proto__Resource__V1__Resource
private typealias CSpan = Opentelemetry__Proto__Trace__V1__Span
private typealias CEvent = Opentelemetry__Proto__Trace__V1__Span__Event
private typealias CLink = Opentelemetry__Proto__Trace__V1__Span__Link
private typealias CStatus = Opentelemetry__Proto__Trace__V1__Status
private typealias CKeyValue = Opentelemetry__Proto__Common__V1__KeyValue
private typealias CValue = Opentelemetry__Proto__Common__V1__AnyValue
private typealias CArray = Opentelemetry__Proto__Common__V1__ArrayValue

/// `ExportTraceServiceRequest`.
enum ExportRequest {
    static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    static func encode(_ spans: [FinishedSpan], of resource: TraceResource) -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let scoped = unsafe arena.allocate(CScopeSpans.self)
            unsafe opentelemetry__proto__trace__v1__scope_spans__init(scoped)
            unsafe scoped.pointee.scope = unsafe scope(resource, &arena)
            unsafe scoped.pointee.n_spans = spans.count
            unsafe scoped.pointee.spans = unsafe arena.pointers(spans) { unsafe $1.fill(&$0) }
            let all = unsafe arena.allocate(CResourceSpans.self)
            unsafe opentelemetry__proto__trace__v1__resource_spans__init(all)
            unsafe all.pointee.resource = unsafe resource.fill(&arena)
            unsafe all.pointee.n_scope_spans = 1
            unsafe all.pointee.scope_spans = unsafe arena.pointers([0]) { _, _ in unsafe scoped }
            let request = unsafe arena.allocate(CRequest.self)
            unsafe opentelemetry__proto__collector__trace__v1__export_trace_service_request__init(request)
            unsafe request.pointee.n_resource_spans = 1
            unsafe request.pointee.resource_spans = unsafe arena.pointers([0]) { _, _ in unsafe all }
            return unsafe request
        }
    }

    private static func scope(_ resource: TraceResource, _ arena: inout Arena) -> UnsafeMutablePointer<CScope> {
        let scope = unsafe arena.allocate(CScope.self)
        unsafe opentelemetry__proto__common__v1__instrumentation_scope__init(scope)
        unsafe scope.pointee.name = unsafe arena.string("framemesh")
        unsafe scope.pointee.version = unsafe arena.string(resource.version)
        return unsafe scope
    }
}

extension TraceResource {
    fileprivate func fill(_ arena: inout Arena) -> UnsafeMutablePointer<CResource> {
        let resource = unsafe arena.allocate(CResource.self)
        unsafe opentelemetry__proto__resource__v1__resource__init(resource)
        let attributes: [(String, SpanAttribute)] = [
            ("service.name", .string(service)), ("service.version", .string(version)),
            ("service.instance.id", .string(instance)), ("host.name", .string(host)),
            ("process.pid", .int64(Int64(process))), ("telemetry.sdk.name", "framemesh"),
            ("telemetry.sdk.language", "swift"), ("telemetry.sdk.version", .string(version)),
        ]
        unsafe resource.pointee.n_attributes = attributes.count
        unsafe resource.pointee.attributes = unsafe arena.pointers(attributes) { unsafe $0.attribute($1) }
        return unsafe resource
    }
}

extension FinishedSpan {
    /// The flags of OTLP: it is known whether the parent is of another process, and it is.
    private static let knowsParent: UInt32 = 1 << 8
    private static let remoteParent: UInt32 = 1 << 9
    private static let sampled: UInt32 = 1

    fileprivate func fill(_ arena: inout Arena) -> UnsafeMutablePointer<CSpan> {
        let c = unsafe arena.allocate(CSpan.self)
        unsafe opentelemetry__proto__trace__v1__span__init(c)
        unsafe c.pointee.trace_id = unsafe arena.bytes(trace.trace.bytes)
        unsafe c.pointee.span_id = unsafe arena.bytes(trace.span.bytes)
        if let parent { unsafe c.pointee.parent_span_id = unsafe arena.bytes(parent.bytes) }
        unsafe c.pointee.trace_state = unsafe arena.string(trace.state.text)
        unsafe c.pointee.flags = Self.sampled | Self.knowsParent | (hasRemoteParent ? Self.remoteParent : 0)
        unsafe c.pointee.name = unsafe arena.string(name)
        unsafe c.pointee.kind = kind.code
        unsafe c.pointee.start_time_unix_nano = start
        unsafe c.pointee.end_time_unix_nano = end
        unsafe (c.pointee.n_attributes, c.pointee.attributes) = unsafe arena.attributes(attributes)
        unsafe c.pointee.n_events = events.count
        unsafe c.pointee.events = unsafe arena.pointers(events) { unsafe $0.event($1) }
        unsafe c.pointee.n_links = links.count
        unsafe c.pointee.links = unsafe arena.pointers(links) { unsafe $0.link($1) }
        if let status { unsafe c.pointee.status = unsafe arena.status(status) }
        return unsafe c
    }
}

extension SpanKind {
    fileprivate var code: Opentelemetry__Proto__Trace__V1__Span__SpanKind {
        switch self {
        case .server: OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_SERVER
        case .client: OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_CLIENT
        case .producer: OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_PRODUCER
        case .consumer: OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_CONSUMER
        case .internal: OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_INTERNAL
        }
    }
}

extension Arena {
    fileprivate mutating func attributes(
        _ attributes: SpanAttributes
    ) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CKeyValue>?>?) {
        var all: [(String, SpanAttribute)] = []
        attributes.forEach { all.append(($0, $1)) }
        return unsafe (all.count, pointers(all) { unsafe $0.attribute($1) })
    }

    fileprivate mutating func attribute(_ attribute: (String, SpanAttribute)) -> UnsafeMutablePointer<CKeyValue> {
        let c = unsafe allocate(CKeyValue.self)
        unsafe opentelemetry__proto__common__v1__key_value__init(c)
        unsafe c.pointee.key = unsafe string(attribute.0)
        unsafe c.pointee.value = unsafe value(attribute.1)
        return unsafe c
    }

    private mutating func value(_ value: SpanAttribute) -> UnsafeMutablePointer<CValue> {
        let c = unsafe allocate(CValue.self)
        unsafe opentelemetry__proto__common__v1__any_value__init(c)
        switch value {
        case .int32(let number): unsafe set(Int64(number), in: c)
        case .int64(let number): unsafe set(number, in: c)
        case .double(let number):
            unsafe c.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_DOUBLE_VALUE
            unsafe c.pointee.double_value = number
        case .bool(let isTrue):
            unsafe c.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_BOOL_VALUE
            unsafe c.pointee.bool_value = isTrue ? 1 : 0
        case .string(let text): unsafe set(text, in: c)
        case .stringConvertible(let text): unsafe set("\(text)", in: c)
        case .int32Array(let all): unsafe set(all.map { .int64(Int64($0)) }, in: c)
        case .int64Array(let all): unsafe set(all.map { .int64($0) }, in: c)
        case .doubleArray(let all): unsafe set(all.map { .double($0) }, in: c)
        case .boolArray(let all): unsafe set(all.map { .bool($0) }, in: c)
        case .stringArray(let all): unsafe set(all.map { .string($0) }, in: c)
        case .stringConvertibleArray(let all): unsafe set(all.map { .string("\($0)") }, in: c)
        default: break
        }
        return unsafe c
    }

    private func set(_ number: Int64, in c: UnsafeMutablePointer<CValue>) {
        unsafe c.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE
        unsafe c.pointee.int_value = number
    }

    private mutating func set(_ text: String, in c: UnsafeMutablePointer<CValue>) {
        unsafe c.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE
        unsafe c.pointee.string_value = unsafe string(text)
    }

    private mutating func set(_ values: [SpanAttribute], in c: UnsafeMutablePointer<CValue>) {
        let array = unsafe allocate(CArray.self)
        unsafe opentelemetry__proto__common__v1__array_value__init(array)
        unsafe array.pointee.n_values = values.count
        unsafe array.pointee.values = unsafe pointers(values) { unsafe $0.value($1) }
        unsafe c.pointee.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_ARRAY_VALUE
        unsafe c.pointee.array_value = unsafe array
    }

    fileprivate mutating func event(_ event: SpanEvent) -> UnsafeMutablePointer<CEvent> {
        let c = unsafe allocate(CEvent.self)
        unsafe opentelemetry__proto__trace__v1__span__event__init(c)
        unsafe c.pointee.time_unix_nano = event.nanosecondsSinceEpoch
        unsafe c.pointee.name = unsafe string(event.name)
        unsafe (c.pointee.n_attributes, c.pointee.attributes) = unsafe attributes(event.attributes)
        return unsafe c
    }

    fileprivate mutating func link(_ link: SpanLink) -> UnsafeMutablePointer<CLink> {
        let c = unsafe allocate(CLink.self)
        unsafe opentelemetry__proto__trace__v1__span__link__init(c)
        if let trace = link.context.trace {
            unsafe c.pointee.trace_id = unsafe bytes(trace.trace.bytes)
            unsafe c.pointee.span_id = unsafe bytes(trace.span.bytes)
            unsafe c.pointee.trace_state = unsafe string(trace.state.text)
        }
        unsafe (c.pointee.n_attributes, c.pointee.attributes) = unsafe attributes(link.attributes)
        return unsafe c
    }

    fileprivate mutating func status(_ status: SpanStatus) -> UnsafeMutablePointer<CStatus> {
        let c = unsafe allocate(CStatus.self)
        unsafe opentelemetry__proto__trace__v1__status__init(c)
        unsafe c.pointee.code =
            status.code == .ok
            ? OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_OK
            : OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR
        unsafe c.pointee.message = unsafe string(status.message ?? "")
        return unsafe c
    }
}
