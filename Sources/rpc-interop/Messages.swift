import CInteropMessages
import NIOCore
import ProtobufStructs

// The messages of proto/grpc/testing/messages.proto, as values. `Empty` is no bytes at all.

/// A message with a wire form.
protocol Message: Sendable {
    func encode() -> ByteBuffer
    /// - Throws: `RPCError` INVALID_ARGUMENT if the bytes are no such message.
    static func decode(_ bytes: ByteBuffer) throws -> Self
}

struct EchoStatus: Sendable, Equatable {
    var code: Int
    var message: String
}

struct SimpleRequest: Message {
    var responseSize = 0
    var body: ByteBuffer?
    var responseCompressed: Bool?
    var responseStatus: EchoStatus?
    var expectCompressed: Bool?

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__simple_request__init)
            unsafe message.pointee.response_size = Int32(clamping: responseSize)
            unsafe message.pointee.payload = unsafe arena.payload(body)
            unsafe message.pointee.response_compressed = unsafe arena.flag(responseCompressed)
            unsafe message.pointee.response_status = unsafe arena.status(responseStatus)
            unsafe message.pointee.expect_compressed = unsafe arena.flag(expectCompressed)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> SimpleRequest {
        try unsafe InteropStruct.unpack("SimpleRequest", bytes, grpc__testing__simple_request__init) { message in
            unsafe SimpleRequest(
                responseSize: Int(message.response_size), body: InteropStruct.body(message.payload),
                responseCompressed: InteropStruct.flag(message.response_compressed),
                responseStatus: InteropStruct.status(message.response_status),
                expectCompressed: InteropStruct.flag(message.expect_compressed))
        }
    }
}

struct SimpleResponse: Message {
    var body: ByteBuffer?

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__simple_response__init)
            unsafe message.pointee.payload = unsafe arena.payload(body)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> SimpleResponse {
        try unsafe InteropStruct.unpack("SimpleResponse", bytes, grpc__testing__simple_response__init) { message in
            unsafe SimpleResponse(body: InteropStruct.body(message.payload))
        }
    }
}

struct StreamingInputCallRequest: Message {
    var body: ByteBuffer?
    var expectCompressed: Bool?

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__streaming_input_call_request__init)
            unsafe message.pointee.payload = unsafe arena.payload(body)
            unsafe message.pointee.expect_compressed = unsafe arena.flag(expectCompressed)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingInputCallRequest {
        try unsafe InteropStruct.unpack(
            "StreamingInputCallRequest", bytes, grpc__testing__streaming_input_call_request__init
        ) { message in
            unsafe StreamingInputCallRequest(
                body: InteropStruct.body(message.payload),
                expectCompressed: InteropStruct.flag(message.expect_compressed))
        }
    }
}

struct StreamingInputCallResponse: Message {
    var aggregatedPayloadSize = 0

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__streaming_input_call_response__init)
            unsafe message.pointee.aggregated_payload_size = Int32(clamping: aggregatedPayloadSize)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingInputCallResponse {
        try unsafe InteropStruct.unpack(
            "StreamingInputCallResponse", bytes, grpc__testing__streaming_input_call_response__init
        ) { message in
            unsafe StreamingInputCallResponse(aggregatedPayloadSize: Int(message.aggregated_payload_size))
        }
    }
}

struct ResponseParameters: Sendable {
    var size = 0
    var interval: Duration = .zero
    var compressed: Bool?
}

struct StreamingOutputCallRequest: Message {
    var parameters: [ResponseParameters] = []
    var body: ByteBuffer?
    var responseStatus: EchoStatus?

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__streaming_output_call_request__init)
            unsafe message.pointee.n_response_parameters = parameters.count
            unsafe message.pointee.response_parameters = unsafe arena.pointers(parameters) { arena, parameters in
                let element = unsafe arena.make(grpc__testing__response_parameters__init)
                unsafe element.pointee.size = Int32(clamping: parameters.size)
                unsafe element.pointee.interval_us = Int32(clamping: Int(parameters.interval / .microseconds(1)))
                unsafe element.pointee.compressed = unsafe arena.flag(parameters.compressed)
                return unsafe element
            }
            unsafe message.pointee.payload = unsafe arena.payload(body)
            unsafe message.pointee.response_status = unsafe arena.status(responseStatus)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingOutputCallRequest {
        try unsafe InteropStruct.unpack(
            "StreamingOutputCallRequest", bytes, grpc__testing__streaming_output_call_request__init
        ) { message in
            var request = unsafe StreamingOutputCallRequest(
                body: InteropStruct.body(message.payload), responseStatus: InteropStruct.status(message.response_status)
            )
            for index in unsafe 0..<message.n_response_parameters {
                guard let element = unsafe message.response_parameters[index]?.pointee else { continue }
                unsafe request.parameters.append(
                    ResponseParameters(
                        size: Int(element.size), interval: .microseconds(Int(element.interval_us)),
                        compressed: InteropStruct.flag(element.compressed)))
            }
            return request
        }
    }
}

struct StreamingOutputCallResponse: Message {
    var body: ByteBuffer?

    func encode() -> ByteBuffer {
        unsafe ProtobufStruct.pack { arena in
            let message = unsafe arena.make(grpc__testing__streaming_output_call_response__init)
            unsafe message.pointee.payload = unsafe arena.payload(body)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingOutputCallResponse {
        try unsafe InteropStruct.unpack(
            "StreamingOutputCallResponse", bytes, grpc__testing__streaming_output_call_response__init
        ) { message in
            unsafe StreamingOutputCallResponse(body: InteropStruct.body(message.payload))
        }
    }
}
