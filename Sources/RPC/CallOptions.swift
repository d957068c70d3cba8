/// What a call asks for beside its request.
///
///     let answer = try await connection.unary("/shop.Till/Pay", request, options: .init(deadline: .after(.seconds(2))))
public struct CallOptions: Sendable {
    public var metadata: Metadata
    /// Sent to the peer as `grpc-timeout`, and enforced here. nil: the call may last for ever.
    public var deadline: Deadline?
    /// Attempts of the same call before this one, told to the peer as `grpc-previous-rpc-attempts` (gRPC A6).
    var previousAttempts = 0

    public init(metadata: Metadata = [:], deadline: Deadline? = nil) {
        self.metadata = metadata
        self.deadline = deadline
    }
}
