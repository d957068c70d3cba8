import HTTP2

/// The encodings of messages that this side takes beside identity; made once for a server or a client connection.
struct AcceptedEncodings: Sendable {
    private let encodings: [Compression]
    /// `grpc-accept-encoding`; nil: none but identity.
    let field: HeaderField?

    init(_ accepted: [Compression]) {
        encodings = accepted.filter { $0 != .identity }
        let names = encodings.map(\.rawValue).joined(separator: ",")
        field = names.isEmpty ? nil : HeaderField("grpc-accept-encoding", names)
    }

    /// What reads the compressed messages of a call. nil: there are none.
    /// - Parameters:
    ///   - encoding: the value of `grpc-encoding`.
    ///   - server: whose answers these are; nil: they are requests.
    ///   - refusal: the status for an encoding that is not taken: a server's is UNIMPLEMENTED, a client's INTERNAL.
    func inflater(
        for encoding: String?, refusal: StatusCode, maxBytes: Int, budget: MemoryBudget, share: MemoryShare? = nil,
        server: Inflater.Server? = nil
    ) throws(RPCError) -> Inflater? {
        guard let encoding, encoding != Compression.identity.rawValue else { return nil }
        guard let compression = Compression(rawValue: encoding), encodings.contains(compression) else {
            throw RPCError(
                refusal, "grpc-encoding '\(encoding.prefix(32))' is not supported", limit: .malformedCall)
        }
        return Inflater(compression: compression, maxBytes: maxBytes, budget: budget, share: share, server: server)
    }
}
