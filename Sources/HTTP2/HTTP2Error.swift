/// Why a connection cannot go on.
public struct HTTP2Error: Error, Sendable, CustomStringConvertible {
    /// What the peer is told in GOAWAY.
    public var code: ErrorCode
    public var message: String
    /// What the peer went beyond; nil: it is not the peer's fault.
    public var limit: ConnectionLimit?
    /// One end speaks TLS, and the other does not.
    public var isTLSMismatch: Bool

    public init(
        _ code: ErrorCode, _ message: String, limit: ConnectionLimit? = nil, isTLSMismatch: Bool = false
    ) {
        self.code = code
        self.message = message
        self.limit = limit
        self.isTLSMismatch = isTLSMismatch
    }

    public var description: String { "\(code): \(message)" }
}
