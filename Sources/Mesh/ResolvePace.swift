import NIOCore

/// When a name is looked up again.
enum ResolvePace {
    /// When the TTL says, at most `resolveInterval`, at least `resolvePause`. Without addresses as soon as may be: calls wait.
    static func wait(
        after resolution: Resolution, _ configuration: ChannelConfiguration,
        using random: inout some RandomNumberGenerator
    ) -> Duration {
        if resolution.addresses.isEmpty { return configuration.resolvePause }
        let longest = min(configuration.resolveInterval, resolution.ttl ?? configuration.resolveInterval)
        // Sooner by chance, never later: many channels began at the same time.
        let wait = longest * (1 - Double.random(in: 0...configuration.resolveJitter, using: &random))
        return max(configuration.resolvePause, wait)
    }
}

/// What is said of look-ups: that they began to fail, and that they are well again, whatever happens in between.
struct ResolverNews: Sendable {
    enum Line: Sendable, Equatable {
        case trouble(String)
        case well
    }

    /// Good look-ups in a row after which all is well; a server that answers now and then is still ill.
    static let goodToBeWell = 3

    /// What is wrong now.
    private(set) var trouble: String?
    private var isIll = false
    private var good = 0

    /// - Parameter reason: nil for a good look-up.
    mutating func note(_ reason: String?) -> Line? {
        trouble = reason
        guard let reason else {
            good += 1
            guard isIll, good >= Self.goodToBeWell else { return nil }
            isIll = false
            return .well
        }
        good = 0
        defer { isIll = true }
        return isIll ? nil : .trouble(reason)
    }
}
