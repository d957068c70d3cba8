/// Why something is not called.
package struct OutboundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// One line, for whoever asked for it.
    package var message: String
    /// It would be so again; else the name could not be resolved just now.
    package var isForbidden: Bool

    package init(_ message: String, isForbidden: Bool = true) {
        self.message = message
        self.isForbidden = isForbidden
    }

    package var description: String { message }
}
