public import HTTP2

/// Every size, count and wait has a name here.
public struct ServerConfiguration: Sendable {
    public var maxMessageBytes = 4 << 20
    /// With `attachmentIdentity`, a plain message may be as long as a message and its attachment together.
    public var maxAttachmentBytes = 64 << 20
    /// Messages without bytes on one stream, one after the other.
    public var maxEmptyMessages = 65_536
    /// Of the messages of one stream that wait for its handler, each with 256 bytes more for its keeping; those in the
    /// memory budget count only these, and what all streams have beyond 4 KiB each is counted there. Beyond it, or
    /// where too much waits, the peer is held back.
    public var maxQueuedBytes = 64 << 10
    /// Of the memory budget, what the requests of one address (as for `maxConnectionsPerAddress`) may hold together; more
    /// of them wait. One that carries all that a server gets still fills its windows many times over; one larger message
    /// gets its memory alone. 1 where all clients have the address of a proxy.
    public var memoryShare = 0.5
    /// Of `maxServerHandlers` and `maxServerUnsentBytes`, what one address may have of what the other addresses leave. A
    /// connection of a Unix-domain socket counts as an address. 1 where all clients have the address of a proxy.
    public var addressShare = 0.5
    /// How long a request message waits for memory; after that RESOURCE_EXHAUSTED. nil: as long as the call lasts.
    public var memoryPatience: Duration? = .seconds(120)
    /// Answers of one stream that wait to be sent; its handler is held back.
    public var maxQueuedOutputBytes = 256 << 10
    public var maxMetadataBytes = 16 << 10
    public var maxMetadataFields = 128
    public var maxConcurrentStreams = 128
    /// Handlers of one connection that run, also those whose stream is gone: a peer cannot start more by resetting
    /// streams. nil: as many as `maxConcurrentStreams`.
    public var maxRunningHandlers: Int?
    /// The same of all connections together: RPCs that idle need no more than a head from their peers. A connection
    /// may count twice as many as it runs, so that it seldom has to count.
    public var maxServerHandlers = 16_384
    public var maxConnections = 4096
    /// Connections from one IP address, of IPv6 from one /64; nil: as many as all. Behind a proxy all clients have its address.
    public var maxConnectionsPerAddress: Int? = 256
    /// Encodings of requests that are taken beside identity; told to clients.
    public var acceptedCompression: [Compression] = [.gzip, .deflate]
    /// Of answers to clients that take it, where the handler does not choose.
    public var responseCompression = Compression.identity
    public var initialStreamWindowBytes = 256 << 10
    /// The same while a client's large messages come one at a time, which then do not stop for their first credit; at least
    /// `initialStreamWindowBytes`. nil: it stays.
    public var loneStreamWindowBytes: Int? = 1 << 20
    /// `connectionWindowBytes` while a client's large messages come one at a time and no other call comes in the middle
    /// of one, if they are received faster so, which is tried now and then: it depends on the machine and on the line.
    /// Only if it is the larger one; nil: never.
    public var loneConnectionWindowBytes: Int? = 16 << 20
    /// What the peer may have on its way on all streams together. A small call waits behind as much as that of large
    /// messages on its connection, and bytes that are few enough stay in the caches of the processor: on one machine 1
    /// MiB carries a quarter more than 4 MiB, on another as much. But a line carries no more than that in the time of
    /// its round trip, so long and fast ones want more.
    public var connectionWindowBytes = 1 << 20
    public var maxFrameBytes = 1 << 20
    /// Answers of one connection that wait to be sent, because their client opens no window for them or does not read:
    /// beyond `startUnsentBytes` handlers of whole requests wait to start, and beyond `maxUnsentBytes` calls that want to
    /// answer more end with RESOURCE_EXHAUSTED.
    public var startUnsentBytes = 16 << 20
    /// Beyond `startUnsentBytes` so many of them run all the same, as each may answer as much again; more while half of it or
    /// less waits.
    public var maxHeldHandlers = 4
    public var maxUnsentBytes = 64 << 20
    /// The same of all connections together, but for the first 64 KiB of each, and of what one address may have of it
    /// (`addressShare`): one client has many connections.
    public var maxServerUnsentBytes = 256 << 20
    /// Handed to the socket in one go, and the most that waits there before streams are held back.
    public var maxOutputBytes = 1 << 20
    /// From accept to the client's SETTINGS, TLS included.
    public var handshakeTimeout: Duration = .seconds(10)
    public var drainTimeout: Duration = .seconds(30)
    /// How long the client's end of a connection may take after ours: it may not have read all yet.
    public var lingerTimeout: Duration = .seconds(2)
    /// Whether a unary `async` handler may run on its connection's event loop until it first waits for something, as long
    /// as those of its method do so for less than 100 µs on average. False: each starts in Swift's thread pool, which
    /// costs small calls about twice the time.
    public var startsHandlersOnLoop = true
    /// Whether they also go on there after their waits. For handlers that never compute for long: how long they hold the loop, at
    /// their start or then, is not looked at. False: they go on in Swift's thread pool.
    public var keepsHandlersOnLoop = false
    /// A loop that has heard from its clients in quick succession looks for more for so long before it sleeps: waking a
    /// processor takes longer than a small call. nil: it sleeps at once.
    public var busyPoll: Duration? = .microseconds(200)
    /// How long a drain waits for the answer to the PING between its two GOAWAYs.
    public var goAwayPatience: Duration = .seconds(20)
    public var keepalive = ServerKeepalive()
    public var pings = PingPolicy()
    public var age = ConnectionAge()
    public var slowPeers = SlowPeers()
    /// Who may connect to a Unix-domain socket: its owner.
    public var unixSocketMode: UInt32 = 0o600
    /// Announced in `framemesh-framing`; nil: attachments are not offered.
    public var attachmentIdentity: String?
    /// TCP's congestion control (`TCP_CONGESTION`), one of `net.ipv4.tcp_allowed_congestion_control`; nil: the kernel's
    /// default. `cubic` in place of `bbr` can move large messages faster over loopback and quiet local networks, where
    /// the pauses that bbr makes between packets only cost time; over long or lossy lines bbr is better.
    public var congestionControl: String?
    /// nil: plain text, with prior knowledge (RFC 9113, section 3.3).
    public var tls: ServerTLS?
    /// Frames of one connection that cost us more than the client.
    public var flood = FloodLimits()
    /// For the `HealthService` that is made beside the server.
    public var maxHealthWatches = HealthService.defaultMaxWatches
    public var maxListedServices = HealthService.defaultMaxListed
    public var maxHealthRequestBytes = HealthService.defaultMaxRequestBytes
    /// For the `Reflection` that is made beside the server.
    public var maxReflectionRequests = Reflection.defaultMaxRequests
    public var maxReflectionRequestBytes = Reflection.defaultMaxRequestBytes
    public var maxReflectionAnswerBytes = Reflection.defaultMaxAnswerBytes
    public init() {}
}

extension ServerConfiguration {
    /// For clients with `ClientKeepalive.cluster`, which are sent to connect anew after ten minutes. A coordinator may give up
    /// many calls at once and start others, whose handlers overlap.
    public static var cluster: ServerConfiguration {
        var configuration = ServerConfiguration()
        configuration.pings = .cluster
        configuration.age = .cluster
        configuration.maxRunningHandlers = 4 * configuration.maxConcurrentStreams
        // Those of whole requests only pass frames on; networks run on threads of their own.
        configuration.keepsHandlersOnLoop = true
        return configuration
    }
}
