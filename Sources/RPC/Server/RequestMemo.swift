import HTTP2

/// What the last request of a connection said, and the bytes that it came from: most peers send the same fields with
/// call after call, and then no string is made.
struct RequestMemo {
    /// More is decoded each time, so that an idle connection holds little.
    private static let keptBytes = 1024

    private var bytes: [UInt8] = []
    private var metadata = Metadata()
    private var next: [UInt8] = []
    private var acceptedEncodings = ""

    /// Before the fields of a request.
    mutating func begin() { next.removeAll(keepingCapacity: true) }

    /// A field that is metadata.
    mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        append(name)
        append(value)
    }

    /// With a zero behind, which no field has (RFC 9113, section 8.2.1).
    private mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe next.append(contentsOf: $0) }
        next.append(0)
    }

    /// The value of `grpc-accept-encoding`.
    mutating func acceptedEncodings(_ value: Span<UInt8>) -> String {
        if !value.equals(text: acceptedEncodings) { acceptedEncodings = value.text }
        return acceptedEncodings
    }

    /// After the fields of a request, which are `fields`.
    /// - Throws: INTERNAL if bytes are not the base64 that they should be.
    mutating func metadata(of fields: HeaderFields) throws(RPCError) -> Metadata {
        if next.isEmpty { return Metadata() }
        if next == bytes { return metadata }
        let decoded = try Metadata.decode(fields)
        if next.count <= Self.keptBytes {
            swap(&bytes, &next)
            metadata = decoded
        } else {
            next = []
        }
        return decoded
    }
}
