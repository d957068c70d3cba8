import HTTP2

/// What a response head says.
struct ResponseHead {
    /// 100 to 199: news on the way, no answer yet.
    var isInterim: Bool
    /// What is wrong with it; nil: it is gRPC's.
    var trouble: RPCError?
    /// In `framemesh-framing`.
    var identity: String?
    /// `grpc-encoding`.
    var encoding: String?
    var metadata: Result<Metadata, RPCError>

    /// - Parameters:
    ///   - status: the value of `:status`.
    ///   - maxMetadata: values.
    init(_ fields: [HeaderField], status: String, maxMetadata: Int) {
        isInterim = status.hasPrefix("1")
        trouble = CallStatus.trouble(withHead: fields, maxMetadata: maxMetadata)
        identity = fields.first { $0.name == Framing.framingHeader }.flatMap { Framing.identity(in: $0.value) }
        encoding = fields.first { $0.name == "grpc-encoding" }?.value
        metadata = Result { () throws(RPCError) in try Metadata.decode(fields, upTo: maxMetadata) }
    }
}
