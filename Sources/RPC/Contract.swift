// CONTRACT: the public surface that other modules compile against. The runtime replaces each body;
// signatures stay (additions are fine). This file itself disappears into files named after their types.
public import Logging
public import NIOCore

/// One gRPC message, with an optional attachment (docs/wire.md section 3).
///
/// When the peer takes attachments, `message` goes through protobuf and `attachment` travels beside it.
/// When it does not, the runtime sends the single plain message `message + preamble + attachment`:
/// `preamble` is the protobuf tag and length that make the attachment the message's last field.
public struct Payload: Sendable {
    public var message: ByteBuffer
    public var preamble: ByteBuffer?
    public var attachment: ByteBuffer?
    public init(_ message: ByteBuffer, preamble: ByteBuffer? = nil, attachment: ByteBuffer? = nil) {
        self.message = message
        self.preamble = preamble
        self.attachment = attachment
    }
}

// ---- server ----

/// What a handler may know of its call.
public struct CallContext: Sendable {
    public var path: String
    public var metadata: Metadata
    public var deadline: Deadline?
    public var peer: String
    /// The call uses the attachment framing.
    public var takesAttachments: Bool
}

/// The messages of a peer, one consumer. Taking a message returns its flow-control credit.
/// Throws `RPCError` when the call ends badly (cancelled, deadline, connection lost, status not OK).
public struct MessageStream: AsyncSequence, Sendable {
    public typealias Element = Payload
    public struct AsyncIterator: AsyncIteratorProtocol {
        public mutating func next() async throws -> Payload? { fatalError() }
    }
    public func makeAsyncIterator() -> AsyncIterator { fatalError() }
}

public struct ResponseWriter: Sendable {
    /// Sent with the first message, or with the status; ignored after that.
    public func setInitialMetadata(_ metadata: Metadata) { fatalError() }
    public func setTrailers(_ metadata: Metadata) { fatalError() }
    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    public func write(_ payload: Payload) async throws { fatalError() }
}

public enum RPCHandler: Sendable {
    /// Runs on the event loop: only for trivial work that never blocks.
    case immediate(@Sendable (CallContext, Payload) throws -> Payload)
    case unary(@Sendable (CallContext, Payload) async throws -> Payload)
    /// Client streaming, server streaming and bidirectional calls. Returning means status OK; throwing
    /// `RPCError` means its status; any other error is INTERNAL. The task is cancelled with the call.
    case stream(@Sendable (CallContext, MessageStream, ResponseWriter) async throws -> Void)
}

public protocol RPCService: Sendable {
    /// For example `framemesh.v1.Detector`.
    var serviceName: String { get }
    /// By method name, for example `Detect`.
    var methods: [String: RPCHandler] { get }
    /// The server will end: no new calls come, running ones may finish. A service ends here what would run for ever.
    func drain()
}

extension RPCService {
    public func drain() {}
}

/// Every size, count and wait has a name here.
public struct ServerConfiguration: Sendable {
    public var maxMessageBytes = 4 << 20
    public var maxAttachmentBytes = 64 << 20
    public var maxMetadataBytes = 16 << 10
    public var maxMetadataFields = 128
    public var maxConcurrentStreams = 128
    public var maxConnections = 4096
    public var initialStreamWindowBytes = 256 << 10
    public var maxFrameBytes = 1 << 20
    public var handshakeTimeout: Duration = .seconds(10)
    public var drainTimeout: Duration = .seconds(30)
    /// Announced in `framemesh-framing`; nil: attachments are not offered.
    public var attachmentIdentity: String?
    public init() {}
}

public final class RPCServer: Sendable {
    /// Binds now, so that `address` is known; serves once `run()` is called.
    public static func bind(
        host: String, port: Int, configuration: ServerConfiguration = .init(), services: [any RPCService],
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RPCServer { fatalError() }
    public var address: SocketAddress { fatalError() }
    /// Serves until drained or cancelled (cancelling drains within `drainTimeout`, then cuts).
    public func run() async throws { fatalError() }
    /// GOAWAY with the largest id, later the real one; running calls finish; then `run()` returns.
    public func drain() { fatalError() }
}

/// Bytes of messages in flight in this process; receivers reserve before the first byte has its place.
public final class MemoryBudget: Sendable {
    public static let shared = MemoryBudget(limit: 256 << 20)
    public init(limit: Int) { fatalError() }
    public var limit: Int { fatalError() }
    public var used: Int { fatalError() }
}

// ---- client ----

public struct ClientConfiguration: Sendable {
    public var maxMessageBytes = 4 << 20
    public var maxAttachmentBytes = 64 << 20
    public var maxMetadataBytes = 16 << 10
    public var initialStreamWindowBytes = 256 << 10
    public var maxFrameBytes = 1 << 20
    public var connectTimeout: Duration = .seconds(2)
    /// Calls beyond the peer's stream limit that may wait for a stream; over it RESOURCE_EXHAUSTED.
    public var maxPendingCalls = 1024
    /// Use the attachment framing with peers that announce it.
    public var offersAttachments = true
    public init() {}
}

public struct UnaryResponse: Sendable {
    public var payload: Payload
    public var metadata: Metadata
    public var trailers: Metadata
    public init(payload: Payload, metadata: Metadata = [:], trailers: Metadata = [:]) { fatalError() }
}

/// One HTTP/2 connection to one address. Its end is final; Mesh makes a new one.
public final class RPCConnection: Sendable {
    public static func connect(
        to address: SocketAddress, authority: String? = nil, configuration: ClientConfiguration = .init(),
        budget: MemoryBudget = .shared, group: any EventLoopGroup, logger: Logger
    ) async throws -> RPCConnection { fatalError() }
    /// The identity that the peer announced in `framemesh-framing`, once any response came.
    public var attachmentPeer: String? { fatalError() }
    /// New calls can start: neither closed nor told to go away.
    public var isUsable: Bool { fatalError() }
    public func unary(
        _ path: String, _ request: Payload, metadata: Metadata = [:], deadline: Deadline? = nil
    ) async throws -> UnaryResponse { fatalError() }
    public func open(_ path: String, metadata: Metadata = [:], deadline: Deadline? = nil) async throws -> ClientCall {
        fatalError()
    }
    /// Returns when the connection has ended, with the reason.
    public func closed() async -> RPCError { fatalError() }
    /// No new calls; closes when the running ones have ended.
    public func drain() { fatalError() }
    public func close() { fatalError() }
}

/// A streaming call as its client sees it. Dropping the last reference does not cancel; `cancel()` does.
public struct ClientCall: Sendable {
    /// Suspends while the peer's window and our output buffer are full. Throws when the call has ended.
    public func send(_ payload: Payload) async throws { fatalError() }
    public func finishSending() { fatalError() }
    public var responses: MessageStream { fatalError() }
    /// Known once the first response or the status came.
    public func initialMetadata() async throws -> Metadata { fatalError() }
    /// Known once `responses` ended.
    public var trailers: Metadata { fatalError() }
    public func cancel() { fatalError() }
}
