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

/// Metadata: ordered, duplicates kept, keys lower case; keys that end in `-bin` carry bytes.
public struct Metadata: Sendable, Equatable, ExpressibleByDictionaryLiteral, Sequence {
    public enum Content: Sendable, Equatable { case ascii(String), binary([UInt8]) }
    public init() { fatalError() }
    public init(dictionaryLiteral elements: (String, String)...) { fatalError() }
    public mutating func add(_ key: String, _ value: String) { fatalError() }
    public mutating func add(_ key: String, bytes: [UInt8]) { fatalError() }
    /// The first ASCII value of `key`.
    public subscript(key: String) -> String? { fatalError() }
    public func bytes(_ key: String) -> [UInt8]? { fatalError() }
    public func makeIterator() -> AnyIterator<(key: String, value: Content)> { fatalError() }
}

/// gRPC status codes (gRPC, `doc/statuscodes.md`).
public struct StatusCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }
    public static let ok = StatusCode(rawValue: 0)
    public static let cancelled = StatusCode(rawValue: 1)
    public static let unknown = StatusCode(rawValue: 2)
    public static let invalidArgument = StatusCode(rawValue: 3)
    public static let deadlineExceeded = StatusCode(rawValue: 4)
    public static let notFound = StatusCode(rawValue: 5)
    public static let alreadyExists = StatusCode(rawValue: 6)
    public static let permissionDenied = StatusCode(rawValue: 7)
    public static let resourceExhausted = StatusCode(rawValue: 8)
    public static let failedPrecondition = StatusCode(rawValue: 9)
    public static let aborted = StatusCode(rawValue: 10)
    public static let outOfRange = StatusCode(rawValue: 11)
    public static let unimplemented = StatusCode(rawValue: 12)
    public static let `internal` = StatusCode(rawValue: 13)
    public static let unavailable = StatusCode(rawValue: 14)
    public static let dataLoss = StatusCode(rawValue: 15)
    public static let unauthenticated = StatusCode(rawValue: 16)
    /// The name of the specification, for example `DEADLINE_EXCEEDED`.
    public var description: String { fatalError() }
}

/// How a call failed: a code, a message for the peer, and a cause that stays here, for the log.
public struct RPCError: Error, Sendable, CustomStringConvertible {
    public var code: StatusCode
    public var message: String
    public var metadata: Metadata
    public var cause: (any Error)?
    /// The call surely never reached a handler (refused stream, GOAWAY below its id, could not connect).
    public var neverStarted: Bool
    /// The connection broke (reset, closed, timed out) while the call ran.
    public var lostConnection: Bool
    public init(
        _ code: StatusCode, _ message: String, metadata: Metadata = [:], cause: (any Error)? = nil,
        neverStarted: Bool = false, lostConnection: Bool = false
    ) { fatalError() }
    public var description: String { fatalError() }
}

/// A point in time on the monotonic clock.
public struct Deadline: Sendable, Hashable, Comparable {
    public var instant: NIODeadline
    public init(instant: NIODeadline) { self.instant = instant }
    public static func after(_ duration: Duration) -> Deadline { fatalError() }
    /// Zero when it has passed.
    public var remaining: Duration { fatalError() }
    public var hasPassed: Bool { fatalError() }
    public static func < (a: Deadline, b: Deadline) -> Bool { a.instant < b.instant }
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

/// `grpc.health.v1.Health`: Check and Watch. The empty name is the whole server.
public final class HealthService: RPCService {
    public enum Status: Sendable { case unknown, serving, notServing, serviceUnknown }
    public init() { fatalError() }
    public func set(_ status: Status, for service: String = "") { fatalError() }
    public var serviceName: String { fatalError() }
    public var methods: [String: RPCHandler] { fatalError() }
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
