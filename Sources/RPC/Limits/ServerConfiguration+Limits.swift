import HTTP2

extension ServerConfiguration {
    /// Every limit of a server but `drainTimeout`, in the order of docs/limits.md.
    public static let limits: [Limit<ServerConfiguration>] =
        messages + streams + connections + times + FloodLimits.limits.map { $0.under(\.flood) }

    private static let messages: [Limit<ServerConfiguration>] = [
        Limit("max-message-bytes", \.maxMessageBytes, .bytes, "One request message, on the wire and inflated."),
        Limit(
            "max-attachment-bytes", \.maxAttachmentBytes, .bytes, in: 0...Int(Int32.max),
            "One attachment, such as the pixels of a frame."),
        Limit("max-empty-messages", \.maxEmptyMessages, .count, "Messages without bytes, one after the other."),
        Limit(
            "max-queued-bytes", \.maxQueuedBytes, .bytes,
            "Messages of a stream that wait for its handler, each with 256 bytes more; the client is held back."),
        Limit(
            "memory-share", \.memoryShare, in: 0.01...1,
            "Of the memory budget, what the requests of one address may hold; behind a proxy: 1."),
        Limit("memory-patience", \.memoryPatience, "Wait of a request message for memory."),
        Limit(
            "max-queued-output-bytes", \.maxQueuedOutputBytes, .bytes,
            "Answers of a stream that wait to be sent; the handler is held back."),
        Limit("max-metadata-bytes", \.maxMetadataBytes, .bytes, "A header block, with 32 more for each field."),
        Limit("max-metadata-fields", \.maxMetadataFields, .count, "Fields of a header block."),
        Limit("max-health-watches", \.maxHealthWatches, .count, "Calls of Watch at one time."),
        Limit("max-listed-services", \.maxListedServices, .count, "Names in an answer of health's List."),
        Limit(
            "max-health-request-bytes", \.maxHealthRequestBytes, .bytes,
            "One request of the health service: a name. Not more than max-message-bytes."),
        Limit("max-reflection-requests", \.maxReflectionRequests, .count, "Requests of one reflection stream."),
        Limit(
            "max-reflection-request-bytes", \.maxReflectionRequestBytes, .bytes,
            "One request of reflection: a name. Not more than max-message-bytes."),
        Limit(
            "max-reflection-answer-bytes", \.maxReflectionAnswerBytes, .bytes,
            "One answer of reflection: a file and what it imports."),
    ]

    private static let streams: [Limit<ServerConfiguration>] = [
        Limit("max-concurrent-streams", \.maxConcurrentStreams, .count, "Calls of one connection."),
        Limit(
            "max-running-handlers", \.maxRunningHandlers, .count,
            "Handlers of one connection, also of calls that are gone; off: as max-concurrent-streams."),
        Limit("max-server-handlers", \.maxServerHandlers, .count, "The same of all connections together."),
        Limit(
            "address-share", \.addressShare, in: 0.01...1,
            "Of max-server-handlers, max-server-unsent-bytes and max-health-watches, for one address; proxy: 1."),
        Limit(
            "initial-stream-window-bytes", \.initialStreamWindowBytes, .bytes, in: 16 << 10...Int(Int32.max),
            "What a client may send of one call before it hears from us."),
        Limit(
            "lone-stream-window-bytes", \.loneStreamWindowBytes, .bytes, in: 16 << 10...1 << 30,
            "The same while its large messages come one at a time; off: it stays."),
        Limit(
            "connection-window-bytes", \.connectionWindowBytes, .bytes, in: 64 << 10...Int(Int32.max),
            "What a client may have on its way on all calls of a connection."),
        Limit(
            "lone-connection-window-bytes", \.loneConnectionWindowBytes, .bytes, in: 64 << 10...Int(Int32.max),
            "The same while large messages come alone, if that is faster; off: it stays."),
        Limit(
            "max-frame-bytes", \.maxFrameBytes, .bytes, in: 16 << 10...1 << 24 - 1, "The largest DATA frame, both ways."
        ),
        Limit(
            "max-output-bytes", \.maxOutputBytes, .bytes,
            "Handed to a socket in one go; what waits there before streams are held back."),
        Limit(
            "start-unsent-bytes", \.startUnsentBytes, .bytes,
            "Answers of a connection that wait to be sent; beyond it no handler of a unary call starts."),
        Limit(
            "max-held-handlers", \.maxHeldHandlers, .count,
            "Handlers of unary calls that begin beyond start-unsent-bytes all the same, at a time."),
        Limit(
            "max-unsent-bytes", \.maxUnsentBytes, .bytes,
            "The same; beyond it calls that want to answer more end."),
        Limit(
            "max-server-unsent-bytes", \.maxServerUnsentBytes, .bytes, in: 1 << 20...1 << 40,
            "The same of all connections; one address may have address-share of it."),
    ]

    private static let connections: [Limit<ServerConfiguration>] = [
        Limit("max-connections", \.maxConnections, .count, "Connections of all clients."),
        Limit(
            "max-connections-per-address", \.maxConnectionsPerAddress, .count,
            "Connections from one IP address; behind a proxy: off."),
        Limit("max-connection-idle", \.age.maxIdle, "A connection without calls; then it is drained."),
        Limit("max-connection-age", \.age.maxAge, "A connection, a tenth more or less; then it is drained."),
        Limit("max-connection-age-grace", \.age.maxAgeGrace, "Calls that run on after max-connection-age."),
    ]

    private static let times: [Limit<ServerConfiguration>] = [
        Limit("handshake-timeout", \.handshakeTimeout, "From accept to the client's SETTINGS, TLS included."),
        Limit("linger-timeout", \.lingerTimeout, "The client's end of a connection, after ours."),
        Limit("go-away-patience", \.goAwayPatience, "Wait for a PING between the two GOAWAYs of a drain."),
        Limit("busy-poll", \.busyPoll, in: PollingRule.times, "A busy loop looks for more before it sleeps."),
        Limit("keepalive-time", \.keepalive.time, "Silence of a client before it is asked with a PING."),
        Limit("keepalive-timeout", \.keepalive.timeout, "Silence after that PING before the connection ends."),
        Limit("min-ping-interval", \.pings.minTime, "Between two PINGs of a client with calls; sooner is a strike."),
        Limit(
            "permit-pings-without-calls", \.pings.permitWithoutCalls,
            "The same interval without calls; else it is two hours."),
        Limit(
            "max-ping-strikes", \.pings.maxStrikes, .count, in: 0...Int(Int32.max),
            "PINGs that may come too early; one more ends the connection."),
        Limit("output-timeout", \.slowPeers.outputTimeout, "Output waits, and the socket takes none of it."),
        Limit("stream-timeout", \.slowPeers.streamTimeout, "Output of one call waits for its stream's window."),
        Limit(
            "min-download-rate", \.slowPeers.minDownloadRate, .bytesPerSecond,
            "Of such output, counted over stream-timeout; slower calls end."),
        Limit(
            "min-upload-rate", \.slowPeers.minUploadRate, .bytesPerSecond,
            "Of a request message that has begun; slower ones end."),
        Limit("upload-grace", \.slowPeers.uploadGrace, "What min-upload-rate is counted over."),
        Limit("upload-time", \.slowPeers.uploadTime, "What memory is reserved for must come within it."),
        Limit("first-message-timeout", \.slowPeers.firstMessageTimeout, "From a call's head to its first message."),
    ]
}
