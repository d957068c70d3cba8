/// Why something is not called.
package struct OutboundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One line, for whoever asked for it.
    package var message: String
    package enum Kind: Sendable, Hashable {
        /// It is no URL that anybody would call.
        case malformed
        /// By the rule; it would be so again.
        case forbidden
        /// The name could not be resolved just now.
        case unresolved
    }

    package var kind: Kind

    package init(_ message: String, _ kind: Kind = .forbidden) {
        self.message = message
        self.kind = kind
    }

    /// It would be so again.
    package var isForbidden: Bool { kind != .unresolved }

    package var description: String { message }
}
