import NIOCore

/// The messages of `grpc.reflection.v1`; those of `v1alpha` are the same on the wire.
enum ReflectionMessages {
    enum Query: Equatable {
        case file(String)
        case symbol(String)
        case `extension`(FileDescriptor.Extension)
        case extensionNumbers(type: String)
        case listServices
        /// None of them.
        case unknown
    }

    enum Answer: Equatable {
        /// A serialized `FileDescriptorResponse`.
        case files(ByteBuffer)
        case extensionNumbers(type: String, [Int32])
        /// A serialized `ListServiceResponse`.
        case services(ByteBuffer)
        case error(StatusCode, String)

        static func notFound(_ message: String) -> Answer { .error(.notFound, message) }
    }

    /// Of a `ServerReflectionRequest`. - Throws: INVALID_ARGUMENT if the bytes are no such message.
    static func query(_ request: ByteBuffer) throws(RPCError) -> Query {
        do {
            return try read(request)
        } catch {
            throw RPCError(
                .invalidArgument, "bytes are not a ServerReflectionRequest: \(error.what)", limit: .protobuf)
        }
    }

    private static func read(_ request: ByteBuffer) throws(ProtobufReader.Malformed) -> Query {
        var query = Query.unknown
        var reader = ProtobufReader(request)
        while let field = try reader.next() {
            // The last one of a oneof counts.
            switch (field.number, field.value) {
            case (3, let value): query = .file(try text(value))
            case (4, let value): query = .symbol(try text(value))
            case (5, .bytes(let value)): query = .extension(try readExtension(value))
            case (6, let value): query = .extensionNumbers(type: try text(value))
            case (7, _): query = .listServices
            default: break
            }
        }
        return query
    }

    private static func readExtension(
        _ message: ByteBuffer
    ) throws(ProtobufReader.Malformed) -> FileDescriptor.Extension {
        var result = FileDescriptor.Extension(type: "", number: 0)
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, let value): result.type = try text(value)
            case (2, .varint(let number)): result.number = Int32(truncatingIfNeeded: number)
            default: break
            }
        }
        return result
    }

    private static func text(_ value: ProtobufReader.Value) throws(ProtobufReader.Malformed) -> String {
        guard let text = value.text else { throw ProtobufReader.Malformed(what: "a name is not UTF-8") }
        return text
    }

    /// A `ServerReflectionResponse`.
    static func response(_ answer: Answer, to request: ByteBuffer) -> ByteBuffer {
        var response = ByteBuffer()
        response.writeField(2, request)
        switch answer {
        case .files(let files): response.writeField(4, files)
        case .extensionNumbers(let type, let numbers):
            response.writeField(5) { message in
                message.writeField(1, type)
                // Not packed: readers must take both, and there are few.
                for number in numbers { message.writeField(2, varint: UInt64(bitPattern: Int64(number))) }
            }
        case .services(let services): response.writeField(6, services)
        case .error(let code, let text):
            response.writeField(7) { message in
                message.writeField(1, varint: UInt64(code.rawValue))
                message.writeField(2, text)
            }
        }
        return response
    }
}
