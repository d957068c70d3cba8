/// What all servers and clients of a process share.
public struct ProcessLimits: Sendable {
    /// Of messages that are received and not yet let go (`MemoryBudget.shared`).
    public var memoryBudgetBytes = MemoryBudget.defaultLimit
    /// Of memory that waits for the next large message, or read of a socket (`BufferPool.shared`).
    public var idleBufferBytes = BufferPool.defaultIdleLimit
    public var protobuf = ProtobufLimits()
    public var credentials = CredentialLimits()

    public init() {}

    /// To be called before the first message comes, and before files of credentials are read.
    public func apply() {
        MemoryBudget.shared.limit = memoryBudgetBytes
        BufferPool.shared.idleLimit = idleBufferBytes
        BoundedProtobuf.limits = protobuf
        CredentialLimits.ofProcess = credentials
    }
}

/// What one protobuf message of a peer may take to be read; over it INVALID_ARGUMENT.
public struct ProtobufLimits: Sendable, Hashable {
    /// Of the message and all messages in it.
    public var maxFields = 65_536
    /// Of these, fields that its type does not have.
    public var maxUnknownFields = 4096
    /// Messages in messages; the outermost is the first.
    public var maxDepth = 16
    /// Of one string: names and causes, which are kept and told to others longer than the message that they came in.
    public var maxStringBytes = 16 << 10
    /// Memory: so much, and `bytesPerByte` for each byte.
    public var baseBytes = 64 << 10
    public var bytesPerByte = 16
}
