public import RPC

/// When a second endpoint is asked beside one that does not answer, and what that may cost.
public struct HedgingRules: Sendable, Equatable {
    /// After the time that this share of the answers took, of the same method and over all endpoints.
    public var quantile = 0.95
    /// Never sooner: a busy machine alone is late by so much.
    public var floor: Duration = .milliseconds(20)
    /// Answers from which on that time is known.
    public var samples = 64
    /// What each answer adds to the budget; a hedge takes 1. So it is the share of calls that are hedged in the long
    /// run; with 0 none are.
    public var share = 0.05
    /// The budget holds so much, and begins with it: while an endpoint is silent all of its calls need a hedge.
    public var burst = 64

    public init() {}

    public static let limits: [Limit<HedgingRules>] = [
        Limit(
            "hedge-quantile", \.quantile, in: 0.5...0.999,
            "A second node is asked after the time that this share of answers took."),
        Limit("hedge-floor", \.floor, "A second node is never asked sooner."),
        Limit("hedge-samples", \.samples, .count, "Answers before the first second node is asked."),
        Limit("hedge-share", \.share, in: 0...1, "The share of calls that may ask a second node in the long run."),
        Limit("hedge-burst", \.burst, .count, "Calls that may ask a second node at one time."),
    ]
}
