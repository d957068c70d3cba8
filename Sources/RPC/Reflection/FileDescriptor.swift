import NIOCore

/// What reflection needs to know of one .proto file (`google.protobuf.FileDescriptorProto`).
struct FileDescriptor: Equatable {
    struct Extension: Hashable {
        /// Full name of the message type, without the leading dot.
        var type: String
        var number: Int32
    }

    /// Messages in messages; more are an error of whoever wrote the file.
    static let maxDepth = 32

    var name = ""
    var dependencies: [String] = []
    /// Full names of the services, methods, messages, enumerations and extensions.
    var symbols: [String] = []
    var extensions: [Extension] = []
    /// Serialized.
    var bytes: ByteBuffer

    init(_ bytes: ByteBuffer) throws(ProtobufReader.Malformed) {
        self.bytes = bytes
        let package = try Self.name(in: bytes, field: 2)
        let prefix = package.isEmpty ? "" : package + "."
        var reader = ProtobufReader(bytes)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, let value): name = value.text ?? ""
            case (3, let value): dependencies.append(value.text ?? "")
            case (4, .bytes(let message)): try readMessage(message, prefix, depth: 1)
            case (5, .bytes(let enumeration)): symbols.append(prefix + (try Self.name(in: enumeration)))
            case (6, .bytes(let service)): try readService(service, prefix)
            case (7, .bytes(let field)): try readExtension(field, prefix)
            default: break
            }
        }
    }

    /// The files of a set.
    static func files(of set: DescriptorSet) throws(ProtobufReader.Malformed) -> [FileDescriptor] {
        var files: [FileDescriptor] = []
        var reader = ProtobufReader(set.serialized)
        while let field = try reader.next() {
            if field.number == 1, case .bytes(let file) = field.value { files.append(try FileDescriptor(file)) }
        }
        return files
    }

    private mutating func readMessage(
        _ message: ByteBuffer, _ prefix: String, depth: Int
    ) throws(ProtobufReader.Malformed) {
        guard depth <= Self.maxDepth else {
            throw ProtobufReader.Malformed(what: "messages are nested more than \(Self.maxDepth) deep")
        }
        let name = prefix + (try Self.name(in: message))
        symbols.append(name)
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (3, .bytes(let nested)): try readMessage(nested, name + ".", depth: depth + 1)
            case (4, .bytes(let enumeration)): symbols.append("\(name).\(try Self.name(in: enumeration))")
            case (6, .bytes(let field)): try readExtension(field, name + ".")
            default: break
            }
        }
    }

    private mutating func readService(_ service: ByteBuffer, _ prefix: String) throws(ProtobufReader.Malformed) {
        let name = prefix + (try Self.name(in: service))
        symbols.append(name)
        var reader = ProtobufReader(service)
        while let field = try reader.next() {
            if field.number == 2, case .bytes(let method) = field.value {
                symbols.append("\(name).\(try Self.name(in: method))")
            }
        }
    }

    private mutating func readExtension(_ field: ByteBuffer, _ prefix: String) throws(ProtobufReader.Malformed) {
        symbols.append(prefix + (try Self.name(in: field)))
        let extendee = try Self.name(in: field, field: 2)
        var number: UInt64 = 0
        var reader = ProtobufReader(field)
        while let part = try reader.next() {
            if part.number == 3, case .varint(let value) = part.value { number = value }
        }
        // protoc writes full names with a leading dot.
        extensions.append(
            Extension(
                type: extendee.hasPrefix(".") ? String(extendee.dropFirst()) : extendee,
                number: Int32(truncatingIfNeeded: number)))
    }

    /// The last string of a field, as protobuf has it; of field 1 unless named, which is the name of every descriptor.
    private static func name(in message: ByteBuffer, field: UInt64 = 1) throws(ProtobufReader.Malformed) -> String {
        var name = ""
        var reader = ProtobufReader(message)
        while let next = try reader.next() {
            if next.number == field { name = next.value.text ?? "" }
        }
        return name
    }
}
