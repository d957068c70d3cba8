/// What a peer may not do beyond HTTP/2. The raw value is the reason label of the counter (docs/limits.md).
public enum CallLimit: String, Sendable, CaseIterable {
    /// Connections of a server.
    case connections
    /// Connections from one IP address.
    case connectionsPerAddress = "connections_per_address"
    /// Handlers of one connection that still run, also those whose stream is gone.
    case runningHandlers = "running_handlers"
    /// The same of all connections of a server together.
    case serverHandlers = "server_handlers"
    /// The same of all connections of one address, while the server has places for others.
    case addressHandlers = "address_handlers"
    /// Header fields of one block, by bytes or by count.
    case metadata
    case messageBytes = "message_bytes"
    case attachmentBytes = "attachment_bytes"
    /// One message that all of the memory budget cannot hold.
    case memoryBudget = "memory_budget"
    /// The wait of a message for memory.
    case memoryWait = "memory_wait"
    /// Messages without bytes, one after the other on one stream.
    case emptyMessages = "empty_messages"
    /// Bytes that are not what gRPC wants: flags, lengths, the number of messages, `grpc-timeout`, `grpc-status`.
    case malformedCall = "malformed_call"
    /// Output of one stream that the client gives no window for.
    case stalledStream = "stalled_stream"
    /// Answers of one connection, to one address, or of a server, that wait to be sent.
    case unsentAnswers = "unsent_answers"
    /// A request message that does not begin, or does not go on.
    case slowUpload = "slow_upload"
    /// An answer that does not go on.
    case slowAnswer = "slow_answer"
    /// A request, or an answer, that is not gRPC.
    case notGRPC = "not_grpc"
    /// Calls that wait for a stream, on the client.
    case pendingCalls = "pending_calls"
    /// Calls that wait for a connection, on the client.
    case waitingCalls = "waiting_calls"
    /// Sent messages that are kept for another attempt of a streaming call.
    case replayBytes = "replay_bytes"
    /// Retries and hedges: `RetryThrottle`.
    case retryBudget = "retry_budget"
    /// Attempts of one call, one after the other, whose connection ended before they were sent.
    case unsentAttempts = "unsent_attempts"
    /// The bearer token of a call.
    case tokenBytes = "token_bytes"
    case healthWatches = "health_watches"
    /// Names in an answer of the health service's List.
    case listedServices = "listed_services"
    /// Requests of one reflection stream.
    case reflectionRequests = "reflection_requests"
    /// Descriptors of one answer.
    case reflectionAnswerBytes = "reflection_answer_bytes"
    /// Bytes that are no message of the schema, or one that takes too much to read.
    case protobuf

    /// Of an answer: its server is wrong in it, where the others are bounds of ours that it went beyond.
    var blamesServer: Bool { self == .malformedCall || self == .notGRPC }
}
