import Synchronization

/// The budget of all retries and hedges to one server name, so that they cannot bury a server that is in trouble
/// (gRPC proposal A6, "Throttling Retry Attempts and Hedged RPCs").
///
/// A bucket of tokens, full at first. An attempt that fails in a way worth a retry takes one, whether it is retried or
/// not; an answer brings `tokenRatio`. While it is at most half full nothing is retried. Channels to the same name may
/// share one.
public final class RetryThrottle: Sendable {
    /// In thousandths of a token, as A6 counts.
    private let most: Int
    private let gain: Int
    private let tokens: Atomic<Int>

    /// - Parameters:
    ///   - maxTokens: 1 to 1000.
    ///   - tokenRatio: above 0; three digits after the point count.
    public init(maxTokens: Int = 100, tokenRatio: Double = 0.1) {
        most = min(max(maxTokens, 1), 1000) * 1000
        gain = max(1, Int((min(max(tokenRatio, 0), 1000) * 1000).rounded()))
        tokens = Atomic(most)
    }

    /// More than half of the tokens are left.
    public var allowsRetry: Bool { tokens.load(ordering: .relaxed) > most / 2 }

    func succeeded() {
        guard tokens.load(ordering: .relaxed) < most else { return }
        change(by: gain)
    }

    func failed() { change(by: -1000) }

    /// The attempt cost its endpoint next to nothing.
    func refused() { change(by: -gain) }

    private func change(by amount: Int) {
        var old = tokens.load(ordering: .relaxed)
        while true {
            let new = min(max(old + amount, 0), most)
            let (exchanged, original) = tokens.weakCompareExchange(
                expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = original
        }
    }
}
