import HTTP2

/// What a response head says.
struct ResponseHead {
    /// What is wrong with it; nil: it is gRPC's.
    var trouble: RPCError?
    /// In `framemesh-framing`.
    var identity: String?
    /// `grpc-encoding`.
    var encoding: String?
    var metadata: Result<Metadata, RPCError>

    /// - Parameter maxMetadata: values.
    init(_ fields: [HeaderField], maxMetadata: Int) {
        trouble = CallStatus.trouble(withHead: fields, maxMetadata: maxMetadata)
        identity = fields.first { $0.name == Framing.framingHeader }.flatMap { Framing.identity(in: $0.value) }
        encoding = fields.first { $0.name == "grpc-encoding" }?.value
        metadata = Result { () throws(RPCError) in try Metadata.decode(fields, upTo: maxMetadata) }
    }
}
