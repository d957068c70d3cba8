import CBoundedProtobuf
import CInteropMessages
import CMessages
import CProtobufC
import CRPCMessages
import CTraceMessages
import Foundation
import Testing

/// What protobuf-c does with messages that mean harm, behind our limits.
@Suite struct BoundedProtobufTests {
    private static func of<T>(
        _ initialise: (UnsafeMutablePointer<T>?) -> Void
    ) -> UnsafePointer<ProtobufCMessageDescriptor> {
        unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { place in
            unsafe initialise(place.baseAddress)
            return unsafe UnsafeRawPointer(place.baseAddress!).load(as: ProtobufCMessage.self).descriptor
        }
    }

    /// Every message type that we unpack or that lies in one; `theTypesOfAllSchemasAreHere` compares it with the headers.
    nonisolated(unsafe) static let types: [String: UnsafePointer<ProtobufCMessageDescriptor>] = {
        let all = unsafe [
            of(framemesh__v1__frame__init), of(framemesh__v1__box__init), of(framemesh__v1__classification__init),
            of(framemesh__v1__detection__init), of(framemesh__v1__timing__init),
            of(framemesh__v1__analyze_request__init), of(framemesh__v1__analyze_response__init),
            of(framemesh__v1__list_pipelines_request__init), of(framemesh__v1__pipeline__init),
            of(framemesh__v1__list_pipelines_response__init), of(framemesh__v1__list_nodes_request__init),
            of(framemesh__v1__list_nodes_response__init), of(framemesh__v1__node_state__init),
            of(framemesh__v1__detect_request__init), of(framemesh__v1__detect_response__init),
            of(framemesh__v1__classify_request__init), of(framemesh__v1__region_classes__init),
            of(framemesh__v1__classify_response__init), of(framemesh__v1__fused_request__init),
            of(framemesh__v1__stage_failure__init), of(framemesh__v1__fused_response__init),
            of(framemesh__v1__describe_request__init),
            of(framemesh__v1__model_description__init), of(framemesh__v1__node_description__init),
            of(grpc__health__v1__health_check_request__init), of(grpc__health__v1__health_check_response__init),
            of(grpc__health__v1__health_list_request__init), of(grpc__health__v1__health_list_response__init),
            of(grpc__health__v1__health_list_response__statuses_entry__init),
            of(grpc__testing__bool_value__init), of(grpc__testing__payload__init),
            of(grpc__testing__echo_status__init), of(grpc__testing__simple_request__init),
            of(grpc__testing__simple_response__init), of(grpc__testing__streaming_input_call_request__init),
            of(grpc__testing__streaming_input_call_response__init), of(grpc__testing__response_parameters__init),
            of(grpc__testing__streaming_output_call_request__init),
            of(grpc__testing__streaming_output_call_response__init),
            of(grpc__testing__simple_context__init), of(grpc__testing__reconnect_params__init),
            of(grpc__testing__reconnect_info__init),
            of(opentelemetry__proto__collector__trace__v1__export_trace_service_response__init),
            of(opentelemetry__proto__collector__trace__v1__export_trace_partial_success__init),
        ]
        return unsafe Dictionary(uniqueKeysWithValues: all.map { unsafe (String(cString: $0.pointee.name), $0) })
    }()

    /// What we write and never read: an attribute of OTLP may hold others. In the form of `plain`.
    static let onlyPacked: Set<String> = [
        "common_v1_any_value", "common_v1_array_value", "common_v1_key_value_list", "common_v1_key_value",
        "common_v1_instrumentation_scope", "resource_v1_resource", "trace_v1_resource_spans", "trace_v1_scope_spans",
        "trace_v1_span", "trace_v1_span_event", "trace_v1_span_link", "trace_v1_status",
        "collector_trace_v1_export_trace_service_request",
    ].reduce(into: []) { $0.insert(plain("opentelemetry_proto_" + $1)) }

    /// A name of C, whatever its form.
    private static func plain(_ name: some StringProtocol) -> String {
        String(name).replacing("_", with: "").lowercased()
    }

    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources")

    static func varint(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }

    static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(content.count) + content
    }

    static func times(_ count: Int, _ bytes: [UInt8]) -> [UInt8] {
        (0..<count).reduce(into: []) { all, _ in all += bytes }
    }

    /// Messages in messages, the first number outermost, and after the last one the first again.
    static func nested(_ numbers: Int..., depth: Int) -> [UInt8] {
        var reversed: [UInt8] = []
        for level in (0..<depth).reversed() {
            let head = varint(numbers[level % numbers.count] << 3 | 2) + varint(reversed.count)
            reversed += head.reversed()
        }
        return reversed.reversed()
    }

    static func refusal(
        of bytes: [UInt8], as type: String, _ change: (inout bounded_limits) -> Void = { _ in }
    ) -> bounded_refusal {
        unsafe refusal(of: bytes, as: types[type]!, change)
    }

    static func refusal(
        of bytes: [UInt8], as type: UnsafePointer<ProtobufCMessageDescriptor>,
        _ change: (inout bounded_limits) -> Void = { _ in }
    ) -> bounded_refusal {
        var limits = bounded_default_limits()
        change(&limits)
        var refusal = BOUNDED_NONE
        let unpacked = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe bounded_unpack(type, bytes.count, bytes.baseAddress, &limits, &refusal)
        }
        unsafe #expect((unpacked.message != nil) == (refusal == BOUNDED_NONE))
        unsafe bounded_free(unpacked)
        return refusal
    }

    // ---- P01 ----

    @Test func noTypeContainsItself() {
        unsafe Self.types.forEach { name, type in
            let depth = unsafe bounded_type_depth(type)
            #expect(depth > 0, "\(name) is recursive")
            #expect(depth <= bounded_default_limits().max_depth, "\(name) is nested \(depth) deep")
        }
    }

    /// In the form of `plain`.
    private static var listed: Set<String> {
        unsafe Set(types.values.map { unsafe plain(String(cString: $0.pointee.c_name)) })
    }

    @Test func theTypesOfAllSchemasAreHere() throws {
        var declared: Set<String> = []
        var headers = 0
        let files = try #require(FileManager.default.enumerator(atPath: Self.sources.path))
        for case let file as String in files where file.hasSuffix(".pb-c.h") {
            headers += 1
            let text = try String(contentsOf: Self.sources.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("extern const ProtobufCMessageDescriptor ") {
                declared.insert(Self.plain(line.split(separator: " ")[3].dropLast("__descriptor;".count)))
            }
        }
        #expect(headers == 7)
        #expect(declared == Self.listed.union(Self.onlyPacked))
        #expect(Self.listed.isDisjoint(with: Self.onlyPacked))
    }

    /// So that `onlyPacked` is true.
    @Test func whatTheSourcesUnpackIsHere() throws {
        var unpacked: [String] = []
        var calls = 0
        let files = try #require(FileManager.default.enumerator(atPath: Self.sources.path))
        for case let file as String in files where file.hasSuffix(".swift") {
            let text = try String(contentsOf: Self.sources.appending(path: file), encoding: .utf8)
            calls += text.matches(of: /\w+\.unpack\(/).count
            let pattern = /\w+\.unpack\(\s*(?:"\w+",\s*)?[\w.]+,\s*(?:code: \.\w+,\s*)?(\w+)__init\b/
            unpacked += text.matches(of: pattern).map { Self.plain($0.1) }
        }
        // Of `BoundedProtobuf`, `InteropStruct` and `Wire`, through which the others go.
        #expect(calls == unpacked.count + 3)
        #expect(unpacked.count > 15)
        #expect(Set(unpacked).subtracting(Self.listed) == [])
    }

    /// A type that contains itself, with our limits before protobuf-c, which would overflow the stack.
    @Test func aHundredThousandMessagesInMessagesAreRefused() {
        let type = unsafe Self.of(opentelemetry__proto__common__v1__any_value__init)
        unsafe #expect(bounded_type_depth(type) == 0)
        // `array_value`, and its `values`.
        let bytes = Self.nested(5, 1, depth: 100_000)
        unsafe #expect(Self.refusal(of: bytes, as: type) == BOUNDED_TOO_DEEP)
        let few = Self.nested(5, 1, depth: 14)
        unsafe #expect(Self.refusal(of: few, as: type) == BOUNDED_NONE)
    }

    @Test func nestingBeyondTheLimitIsRefused() {
        let box = Self.field(4, [])
        let message = Self.field(8, box)
        #expect(Self.refusal(of: message, as: "framemesh.v1.AnalyzeResponse") { $0.max_depth = 3 } == BOUNDED_NONE)
        #expect(Self.refusal(of: message, as: "framemesh.v1.AnalyzeResponse") { $0.max_depth = 2 } == BOUNDED_TOO_DEEP)
    }

    @Test func nestingThatTheTypeDoesNotHaveIsOneUnknownField() {
        let message = Self.nested(99, depth: 100_000)
        for type in unsafe Array(Self.types.keys) {
            #expect(Self.refusal(of: message, as: type) == BOUNDED_NONE, "\(type)")
        }
    }

    // ---- P02 ----

    @Test func unknownFieldsAreRefusedBeforeTheyTakeMemory() {
        // Field 15, varint, over and over.
        let fields = Self.times(8 << 20, [0x78, 1])
        #expect(Self.refusal(of: fields, as: "framemesh.v1.Frame") == BOUNDED_TOO_MANY_UNKNOWN_FIELDS)
        #expect(
            Self.refusal(of: fields, as: "framemesh.v1.Frame") { $0.max_unknown_fields = .max }
                == BOUNDED_TOO_MANY_FIELDS)
        #expect(
            Self.refusal(of: fields, as: "framemesh.v1.Frame") {
                ($0.max_unknown_fields, $0.max_fields) = (.max, .max)
            } == BOUNDED_TOO_MUCH_MEMORY)
    }

    /// Bytes that unpacking `bytes` takes from its allocator: the least budget that is enough.
    static func memory(of bytes: [UInt8], as type: String) -> Int {
        var (low, high) = (0, bytes.count * 256 + (1 << 20))
        while low < high {
            let middle = (low + high) / 2
            let refusal = refusal(of: bytes, as: type) {
                ($0.base_bytes, $0.bytes_per_byte, $0.max_fields, $0.max_unknown_fields) = (middle, 0, .max, .max)
            }
            if refusal == BOUNDED_NONE { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// What protobuf-c alone makes of a message of unknown two-byte fields is what the limits are for.
    @Test(arguments: ["framemesh.v1.Frame", "grpc.health.v1.HealthCheckRequest", "grpc.testing.SimpleRequest"])
    func unknownFieldsTakeManyTimesTheirBytes(_ type: String) {
        let fields = Self.times(32 << 10, [0x78, 1])
        let factor = Double(Self.memory(of: fields, as: type)) / Double(fields.count)
        #expect(factor > 16, "\(factor)")
        #expect(factor < 64, "\(factor)")
    }

    /// The most that a peer gets for its bytes: with each number of unknown fields either no message, or one within
    /// the named limit.
    @Test(arguments: ["framemesh.v1.Frame", "grpc.health.v1.HealthCheckRequest", "grpc.testing.SimpleRequest"])
    func whatPassesTakesNoMoreThanTheNamedLimit(_ type: String) {
        let limits = bounded_default_limits()
        var passed = 0
        for count in [1, 16, 256, 1024, 1500, 2048, 4096, 4097] {
            let fields = Self.times(count, [0x78, 1])
            guard Self.refusal(of: fields, as: type) == BOUNDED_NONE else { continue }
            passed += 1
            let memory = Self.memory(of: fields, as: type)
            #expect(memory <= limits.base_bytes + limits.bytes_per_byte * fields.count, "\(count) fields: \(memory)")
        }
        #expect(passed > 3)
    }

    // ---- P03 ----

    @Test func aSingularMessageThatComesAgainAndAgainEndsInTheBudget() {
        // The node of a NodeState, with many models, then merged over and over.
        let models = Self.times(4000, Self.field(2, []))
        let node = Self.field(8, models) + Self.times(4000, Self.field(8, Self.field(2, [])))
        #expect(Self.refusal(of: node, as: "framemesh.v1.NodeState") == BOUNDED_TOO_MUCH_MEMORY)
        let started = ContinuousClock.now
        let empties = Self.times(60_000, Self.field(1, []))
        _ = Self.refusal(of: empties, as: "framemesh.v1.DetectRequest")
        #expect(ContinuousClock.now - started < .seconds(10))
    }

    // ---- P05, P06 ----

    @Test func aNULInAStringIsRefused() {
        #expect(Self.refusal(of: Self.field(1, Array("cam".utf8)), as: "framemesh.v1.Frame") == BOUNDED_NONE)
        #expect(Self.refusal(of: Self.field(1, [97, 0, 98]), as: "framemesh.v1.Frame") == BOUNDED_NUL_IN_STRING)
    }

    /// A stream's name is said in each of its answers.
    @Test func aLongStringIsRefusedAndLongBytesAreNot() {
        let name = [UInt8](repeating: 97, count: 16 << 10)
        #expect(Self.refusal(of: Self.field(1, name), as: "framemesh.v1.Frame") == BOUNDED_NONE)
        #expect(Self.refusal(of: Self.field(1, name + [97]), as: "framemesh.v1.Frame") == BOUNDED_STRING_TOO_LONG)
        let frame = Self.field(1, Self.field(1, name + [97]))
        #expect(Self.refusal(of: frame, as: "framemesh.v1.DetectRequest") == BOUNDED_STRING_TOO_LONG)
        #expect(Self.refusal(of: Self.field(2, name + [97]), as: "grpc.testing.Payload") == BOUNDED_NONE)
    }

    @Test(arguments: [
        [0x0a, 0x05, 0x61],  // longer than the message
        [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],  // a varint of 11 bytes
        [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        [0x13, 0x14], [0x0c], [0x16, 0x00], [0x17], [0x00, 0x00], [0x02, 0x00],  // groups, unknown types, tag 0
        [0x12, 0x00], [0x08, 0x01], [0x09, 1, 2, 3, 4, 5, 6, 7],  // wrong types for their fields
        [0x80], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ])
    func malformedBytesAreNoMessage(_ bytes: [UInt8]) {
        #expect(Self.refusal(of: bytes, as: "framemesh.v1.Frame") == BOUNDED_MALFORMED)
    }

    @Test func oddButLegalBytesAreAMessage() {
        // A boolean of 2, an enum out of range, an unpacked field twice.
        #expect(Self.refusal(of: [0x20, 0x7f, 0x20, 0x01], as: "framemesh.v1.Frame") == BOUNDED_NONE)
        #expect(Self.refusal(of: [], as: "framemesh.v1.Frame") == BOUNDED_NONE)
    }

    // ---- P07, at the level of C ----

    @Test func everyTypeTakesEveryShortPrefixOfOtherBytes() {
        var generator = SystemRandomNumberGenerator()
        for name in unsafe Array(Self.types.keys) {
            for length in 0..<64 {
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...31, using: &generator) }
                _ = Self.refusal(of: bytes, as: name)
            }
        }
    }
}
