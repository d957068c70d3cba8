/// Why a connection cannot go on.
public struct HTTP2Error: Error, Sendable, CustomStringConvertible {
    /// What the peer is told in GOAWAY.
    public var code: ErrorCode
    public var message: String

    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { "\(code): \(message)" }
}
