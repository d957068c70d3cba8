package import RPC

/// How often one caller, by token or else by address, may ask.
package struct RateLimits: Sendable {
    /// Requests a second in the long run.
    package var requestsPerSecond = 1000
    /// Requests at once after a pause.
    package var burst = 2000
    /// Refused tokens of one address in a minute, before further ones get 429; good ones are always taken.
    package var badTokensPerMinute = 30
    /// Callers that are remembered; the one not heard of for the longest is forgotten.
    package var maxCallers = 10_000
    /// Of the places that all callers have together, what one may take: see `Places`.
    package var share = 0.75

    package init() {}

    package static let limits: [Limit<RateLimits>] = [
        Limit("requests-per-second", \.requestsPerSecond, .perSecond, "Requests of one token or address."),
        Limit("request-burst", \.burst, .count, "Requests of one token or address at once, after a pause."),
        Limit("bad-tokens-per-minute", \.badTokensPerMinute, .count, "Unknown tokens of one address."),
        Limit("max-callers", \.maxCallers, .count, in: 16...10_000_000, "Tokens and addresses that are remembered."),
        Limit(
            Places.Share.name, \.share, in: 0.01...1,
            "Of places for pictures, uploads, memory, streams, viewers and videos, what one caller may have."),
    ]
}
