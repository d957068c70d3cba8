/// Why a gateway cannot start, or cannot go on: one line for people, and a cause.
package struct GatewayError: Error, Sendable, CustomStringConvertible {
    package var message: String
    package var cause: (any Error)?
    /// The address cannot be listened at.
    package var isOfListening: Bool

    package init(_ message: String, cause: (any Error)? = nil, isOfListening: Bool = false) {
        self.message = message
        self.cause = cause
        self.isOfListening = isOfListening
    }

    package var description: String { message }
}
