/// A `ClientInterceptor` that also looks at each attempt of a call: the first, those after one that failed, and those beside
/// one that is slow.
public protocol AttemptInterceptor: ClientInterceptor {
    typealias AttemptEnd = @Sendable (AttemptOutcome) -> Void

    /// An attempt is about to be sent. What the interceptor has put into `CallOptions.values` of its call is there.
    /// - Returns: what is told once how the attempt ended; nil: nobody asks.
    func begin(_ attempt: inout OutgoingAttempt) -> AttemptEnd?
}

/// An attempt on its way out.
public struct OutgoingAttempt: Sendable {
    public enum Kind: String, Sendable { case first, retry, hedge }

    /// `/package.Service/Method`.
    public let path: String
    /// Where it goes.
    public let endpoint: String
    public let kind: Kind
    /// In its call, from 1.
    public let number: Int
    /// Only its metadata is still looked at.
    public var options: CallOptions
}

/// Which attempt of its call one is.
struct AttemptPlace: Sendable, Equatable {
    var number = 1
    var kind = OutgoingAttempt.Kind.first
}

extension ChannelState {
    /// Tells those who look at attempts.
    /// - Returns: what is to be told how it ended.
    func begin(_ path: String, _ endpoint: String, _ options: inout CallOptions) -> AttemptInterceptor.AttemptEnd? {
        var attempt = OutgoingAttempt(
            path: path, endpoint: endpoint, kind: options.place.kind, number: options.place.number, options: options)
        let ends = attemptInterceptors.compactMap { $0.begin(&attempt) }
        options = attempt.options
        guard let first = ends.first else { return nil }
        return ends.count == 1 ? first : { outcome in for end in ends.reversed() { end(outcome) } }
    }
}
