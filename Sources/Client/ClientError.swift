package import RPC

/// Why a client cannot go on. `message` is one line for people.
package struct ClientError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// No coordinator can be reached, or none any more.
        case unreachable
        /// What was asked for does not exist.
        case usage
        /// The coordinator does not let us in, or breaks the contract.
        case refused
        /// The coordinator answered a frame of a stream whose turn it was not.
        case outOfOrder
    }

    package var message: String
    package var kind: Kind
    /// Of a coordinator that cannot be reached: whether TLS is why; nil: it is not, as far as can be seen.
    package var tlsMismatch: TLSMismatch?

    init(_ message: String, _ kind: Kind, tlsMismatch: TLSMismatch? = nil) {
        self.message = message
        self.kind = kind
        self.tlsMismatch = tlsMismatch
    }

    package var description: String { message }
}
