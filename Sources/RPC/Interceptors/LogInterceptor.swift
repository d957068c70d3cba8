public import Logging
import NIOCore
import Synchronization

/// Writes one line for each call that failed: method, code, what the peer was told, the cause that it was not told, who
/// called, and how long it took. Of each method and code at most 10 lines in a second, then how many were left out. Bytes
/// of the peer are escaped, so that they cannot begin a line of their own.
///
/// Put it first, so that it sees what the others refuse.
public struct LogInterceptor: ServerInterceptor {
    private let logger: Logger

    /// What an interceptor knows of a call that a line about it shall say, such as the trace that it belongs to.
    public enum Fields: CallValueKey { public typealias Value = Logger.Metadata }

    public init(logger: Logger) { self.logger = logger }

    public func hooks(for method: MethodDescription) -> CallHooks {
        let gates = LineGates()
        return CallHooks(finished: { [logger] context, report in
            guard let error = report.error else { return }
            let level = Self.level(of: error.code)
            guard logger.logLevel <= level, let skipped = gates.pass(error.code) else { return }
            logger.log(
                level: level, "call failed",
                metadata: Self.fields(method, context, error, report.duration, skipped: skipped))
        })
    }

    /// Our faults are errors, trouble that may pass is a warning, and what the peer did is said in passing; that it wants
    /// no answer any more is for those who look closely.
    static func level(of code: StatusCode) -> Logger.Level {
        switch code {
        case .unknown, .internal, .dataLoss: .error
        case .unavailable, .resourceExhausted, .deadlineExceeded: .warning
        case .unauthenticated, .permissionDenied: .notice
        // Nobody waits for the answer any more: the usual end of a watch, and of every call when a caller ends.
        case .cancelled: .debug
        default: .info
        }
    }

    private static func fields(
        _ method: MethodDescription, _ context: CallContext, _ error: RPCError, _ duration: Duration, skipped: Int
    ) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "method": "\(method.name)", "code": "\(error.code)", "peer": "\(context.peer)",
            "ms": "\((duration / .microseconds(1)).rounded() / 1000)",
        ]
        if !method.isKnown { fields["path"] = "\(PeerText.escaped(context.path))" }
        if !error.message.isEmpty { fields["message"] = "\(PeerText.escaped(error.message))" }
        // One that the message says already would be read twice.
        if let cause = error.cause.map(SystemError.forLog), !error.message.contains(cause) {
            fields["cause"] = "\(PeerText.escaped(cause))"
        }
        if let principal = context.principal { fields["principal"] = "\(PeerText.escaped(principal.name))" }
        for (key, value) in error.subject { fields[key] = "\(PeerText.escaped(value))" }
        if let told = context.values[Fields.self] { fields.merge(told) { field, _ in field } }
        if skipped > 0 { fields["skipped"] = "\(skipped)" }
        return fields
    }
}
