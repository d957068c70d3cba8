import HTTP2

extension ClientConfiguration {
    /// Every limit of a client's connection, in the order of docs/limits.md.
    public static let limits: [Limit<ClientConfiguration>] = own + FloodLimits.limits.map { $0.under(\.flood) }

    private static let own: [Limit<ClientConfiguration>] =
        [
            Limit("max-message-bytes", \.maxMessageBytes, .bytes, "One answer, on the wire and inflated."),
            Limit(
                "max-attachment-bytes", \.maxAttachmentBytes, .bytes, in: 0...Int(Int32.max),
                "One attachment of an answer."),
            Limit(
                "max-health-answer-bytes", \.maxHealthAnswerBytes, .bytes,
                "One answer of a health service. Not more than max-message-bytes."),
            Limit("max-empty-messages", \.maxEmptyMessages, .count, "Messages without bytes, one after the other."),
            Limit(
                "max-queued-bytes", \.maxQueuedBytes, .bytes,
                "Messages of a stream that wait for their reader, each with 256 bytes more; the server is held back."),
            Limit(
                "memory-share", \.memoryShare, in: 0.01...1,
                "Of the memory budget, what the answers of one connection may hold."),
            Limit("memory-patience", \.memoryPatience, "Wait of an answer for memory."),
            Limit(
                "max-queued-output-bytes", \.maxQueuedOutputBytes, .bytes,
                "Requests of a stream that wait to be sent; their writer is held back."),
            Limit("max-metadata-bytes", \.maxMetadataBytes, .bytes, "A header block, with 32 more for each field."),
            Limit("max-metadata-fields", \.maxMetadataFields, .count, "Fields of a header block."),
            Limit("max-pending-calls", \.maxPendingCalls, .count, "Calls that wait for one of the server's streams."),
            Limit(
                "initial-stream-window-bytes", \.initialStreamWindowBytes, .bytes, in: 16 << 10...Int(Int32.max),
                "What a server may send of one call before it hears from us."),
            Limit(
                "connection-window-bytes", \.connectionWindowBytes, .bytes, in: 64 << 10...Int(Int32.max),
                "What a server may have on its way on all calls of a connection."),
            Limit(
                "max-frame-bytes", \.maxFrameBytes, .bytes, in: 16 << 10...1 << 24 - 1,
                "The largest DATA frame, both ways."),
            Limit(
                "max-output-bytes", \.maxOutputBytes, .bytes,
                "Handed to a socket in one go; what waits there before streams are held back."),
            Limit("connect-timeout", \.connectTimeout, "From connect to the server's SETTINGS, TLS included."),
            Limit("busy-poll", \.busyPoll, in: PollingRule.times, "A busy loop looks for more before it sleeps."),
            Limit(
                "keepalive-time", \.keepalive.time, in: .seconds(10)...Limit<ClientConfiguration>.times.upperBound,
                "Silence of a server before it is asked with a PING."),
            Limit("keepalive-timeout", \.keepalive.timeout, "Silence after that PING before the connection ends."),
            Limit(
                "permit-keepalive-without-calls", \.keepalive.permitWithoutCalls,
                "Such PINGs also while no call runs."),
            Limit("output-timeout", \.outputTimeout, "Output waits, and the socket takes none of it."),
            Limit(
                "min-answer-rate", \.answers.minRate, .bytesPerSecond,
                "Of an answer that has begun; slower calls end."),
            Limit("answer-grace", \.answers.grace, "What min-answer-rate is counted over."),
            Limit("answer-time", \.answers.time, "What memory is reserved for must come within it."),
        ]
}
