import CBoundedProtobuf
import CInteropMessages
import CMessages
import CProtobufC
import CRPCMessages
import Foundation
import Testing

/// What protobuf-c does with messages that mean harm, behind our limits.
@Suite struct BoundedProtobufTests {
    /// Every message type that we unpack or that lies in one; `theTypesOfAllSchemasAreHere` compares it with the headers.
    nonisolated(unsafe) static let types: [String: UnsafePointer<ProtobufCMessageDescriptor>] = {
        func of<T>(_ initialise: (UnsafeMutablePointer<T>?) -> Void) -> UnsafePointer<ProtobufCMessageDescriptor> {
            unsafe withUnsafeTemporaryAllocation(of: T.self, capacity: 1) { place in
                unsafe initialise(place.baseAddress)
                return unsafe UnsafeRawPointer(place.baseAddress!).load(as: ProtobufCMessage.self).descriptor
            }
        }
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
        ]
        return unsafe Dictionary(uniqueKeysWithValues: all.map { unsafe (String(cString: $0.pointee.name), $0) })
    }()

    static func varint(_ value: Int) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }

    static func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(content.count) + content
    }

    static func times(_ count: Int, _ bytes: [UInt8]) -> [UInt8] {
        (0..<count).reduce(into: []) { all, _ in all += bytes }
    }

    static func refusal(
        of bytes: [UInt8], as type: String, _ change: (inout bounded_limits) -> Void = { _ in }
    ) -> bounded_refusal {
        var limits = bounded_default_limits()
        change(&limits)
        var refusal = BOUNDED_NONE
        let message = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe bounded_unpack(Self.types[type]!, bytes.count, bytes.baseAddress, &limits, &refusal)
        }
        unsafe #expect((message != nil) == (refusal == BOUNDED_NONE))
        unsafe bounded_free(message)
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

    @Test func theTypesOfAllSchemasAreHere() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        var declared: Set<String> = []
        let headers = [
            "CMessages/include/framemesh.pb-c.h", "CRPCMessages/include/health.pb-c.h",
            "CInteropMessages/include/messages.pb-c.h",
        ]
        for header in headers {
            for line in try String(contentsOf: sources.appending(path: header), encoding: .utf8).split(separator: "\n")
            where line.hasPrefix("extern const ProtobufCMessageDescriptor ") {
                declared.insert(String(line.split(separator: " ")[3].dropLast("__descriptor;".count)))
            }
        }
        let listed = unsafe Set(Self.types.values.map { unsafe String(cString: $0.pointee.c_name) })
        let known = Set(listed.map { $0.replacing("__", with: "").lowercased() })
        #expect(Set(declared.map { $0.replacing("_", with: "").lowercased() }) == known)
    }

    @Test func nestingBeyondTheLimitIsRefused() {
        let box = Self.field(4, [])
        let message = Self.field(8, box)
        #expect(Self.refusal(of: message, as: "framemesh.v1.AnalyzeResponse") { $0.max_depth = 3 } == BOUNDED_NONE)
        #expect(Self.refusal(of: message, as: "framemesh.v1.AnalyzeResponse") { $0.max_depth = 2 } == BOUNDED_TOO_DEEP)
    }

    @Test func nestingThatTheTypeDoesNotHaveIsOneUnknownField() {
        var message: [UInt8] = []
        for _ in 0..<1000 { message = Self.field(99, message) }
        #expect(Self.refusal(of: message, as: "framemesh.v1.Frame") == BOUNDED_NONE)
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
