import CInteropMessages
import NIOCore

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
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__simple_request__init)
            unsafe message.pointee.response_size = Int32(clamping: responseSize)
            unsafe message.pointee.payload = unsafe scratch.payload(body)
            unsafe message.pointee.response_compressed = unsafe scratch.flag(responseCompressed)
            unsafe message.pointee.response_status = unsafe scratch.status(responseStatus)
            unsafe message.pointee.expect_compressed = unsafe scratch.flag(expectCompressed)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> SimpleRequest {
        try unsafe Protobuf.unpack("SimpleRequest", bytes, grpc__testing__simple_request__init) { message in
            unsafe SimpleRequest(
                responseSize: Int(message.response_size), body: Protobuf.body(message.payload),
                responseCompressed: Protobuf.flag(message.response_compressed),
                responseStatus: Protobuf.status(message.response_status),
                expectCompressed: Protobuf.flag(message.expect_compressed))
        }
    }
}

struct SimpleResponse: Message {
    var body: ByteBuffer?

    func encode() -> ByteBuffer {
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__simple_response__init)
            unsafe message.pointee.payload = unsafe scratch.payload(body)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> SimpleResponse {
        try unsafe Protobuf.unpack("SimpleResponse", bytes, grpc__testing__simple_response__init) { message in
            unsafe SimpleResponse(body: Protobuf.body(message.payload))
        }
    }
}

struct StreamingInputCallRequest: Message {
    var body: ByteBuffer?
    var expectCompressed: Bool?

    func encode() -> ByteBuffer {
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__streaming_input_call_request__init)
            unsafe message.pointee.payload = unsafe scratch.payload(body)
            unsafe message.pointee.expect_compressed = unsafe scratch.flag(expectCompressed)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingInputCallRequest {
        try unsafe Protobuf.unpack(
            "StreamingInputCallRequest", bytes, grpc__testing__streaming_input_call_request__init
        ) { message in
            unsafe StreamingInputCallRequest(
                body: Protobuf.body(message.payload), expectCompressed: Protobuf.flag(message.expect_compressed))
        }
    }
}

struct StreamingInputCallResponse: Message {
    var aggregatedPayloadSize = 0

    func encode() -> ByteBuffer {
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__streaming_input_call_response__init)
            unsafe message.pointee.aggregated_payload_size = Int32(clamping: aggregatedPayloadSize)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingInputCallResponse {
        try unsafe Protobuf.unpack(
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
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__streaming_output_call_request__init)
            var list: [UnsafeMutablePointer<Grpc__Testing__ResponseParameters>] = unsafe []
            for parameters in parameters {
                let element = unsafe scratch.make(grpc__testing__response_parameters__init)
                unsafe element.pointee.size = Int32(clamping: parameters.size)
                unsafe element.pointee.interval_us = Int32(clamping: Int(parameters.interval / .microseconds(1)))
                unsafe element.pointee.compressed = unsafe scratch.flag(parameters.compressed)
                unsafe list.append(element)
            }
            unsafe message.pointee.n_response_parameters = unsafe list.count
            unsafe message.pointee.response_parameters = unsafe scratch.pointers(list)
            unsafe message.pointee.payload = unsafe scratch.payload(body)
            unsafe message.pointee.response_status = unsafe scratch.status(responseStatus)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingOutputCallRequest {
        try unsafe Protobuf.unpack(
            "StreamingOutputCallRequest", bytes, grpc__testing__streaming_output_call_request__init
        ) { message in
            var request = unsafe StreamingOutputCallRequest(
                body: Protobuf.body(message.payload), responseStatus: Protobuf.status(message.response_status))
            for index in unsafe 0..<message.n_response_parameters {
                guard let element = unsafe message.response_parameters[index]?.pointee else { continue }
                unsafe request.parameters.append(
                    ResponseParameters(
                        size: Int(element.size), interval: .microseconds(Int(element.interval_us)),
                        compressed: Protobuf.flag(element.compressed)))
            }
            return request
        }
    }
}

struct StreamingOutputCallResponse: Message {
    var body: ByteBuffer?

    func encode() -> ByteBuffer {
        unsafe Protobuf.pack { scratch in
            let message = unsafe scratch.make(grpc__testing__streaming_output_call_response__init)
            unsafe message.pointee.payload = unsafe scratch.payload(body)
            return unsafe message
        }
    }

    static func decode(_ bytes: ByteBuffer) throws -> StreamingOutputCallResponse {
        try unsafe Protobuf.unpack(
            "StreamingOutputCallResponse", bytes, grpc__testing__streaming_output_call_response__init
        ) { message in
            unsafe StreamingOutputCallResponse(body: Protobuf.body(message.payload))
        }
    }
}
