import HTTPTypes

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

extension Problem {
    /// - Parameters:
    ///   - field: that the URL stands in.
    ///   - flag: of the gateway, by which it would be allowed.
    init(outbound error: OutboundError, field: String, allowedBy flag: String) {
        let status: HTTPResponse.Status =
            switch error.kind {
            case .malformed: .badRequest
            case .forbidden: .forbidden
            case .unresolved: .badGateway
            }
        let hint = error.kind == .forbidden ? " (\(flag))" : ""
        self.init(status, "'\(field)': \(error.message)\(hint)", field: field)
    }
}
