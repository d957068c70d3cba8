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

    init(_ message: String, _ kind: Kind) {
        self.message = message
        self.kind = kind
    }

    package var description: String { message }
}
