public import RPC

/// What a channel knows of endpoints before it has seen them: when to leave one out, and how far to trust a newcomer.
public struct BalancingRules: Sendable, Equatable {
    /// Calls of this channel that run on one endpoint; more wait, or go elsewhere.
    public var maxInFlight = 120
    /// Of these, the last, which only clients with fewer calls than this get.
    var roomForOthers: Int { maxInFlight / 8 }
    /// A newcomer's share of the calls grows to a whole one in this time.
    public var slowStart: Duration = .seconds(3)
    /// Failures in a row after which an endpoint is ejected.
    public var failuresToEject = 3
    /// The share of failed calls from which an endpoint is ejected, if it is three times that of the others.
    public var failureRateToEject = 0.3
    /// Each ejection lasts twice as long as the one before, between these.
    public var firstEjection: Duration = .seconds(1)
    public var longestEjection: Duration = .seconds(30)
    /// Calls at one time that an endpoint is believed to run; one that says more would get all.
    public var maxCapacity = 1024
    /// Of the name of a zone; an endpoint with a longer one is in none.
    public var maxZoneBytes = 256
    /// Endpoints of this zone come first while they have room. Empty: all zones are the same.
    public var zone = ""

    public init() {}

    public static let limits: [Limit<BalancingRules>] = [
        Limit(
            "max-in-flight", \.maxInFlight, .count,
            "Calls of a channel that run on one endpoint; an eighth for clients with few calls."),
        Limit("slow-start", \.slowStart, "How long a newcomer's share of the calls grows."),
        Limit("failures-to-eject", \.failuresToEject, .count, "Failures in a row that eject an endpoint."),
        Limit(
            "failure-rate-to-eject", \.failureRateToEject, in: 0.01...1,
            "The share of failed calls that ejects an endpoint, if the others have a third of it."),
        Limit("first-ejection", \.firstEjection, "The first ejection; each next one is twice as long."),
        Limit("longest-ejection", \.longestEjection, "The longest ejection."),
        Limit("max-capacity", \.maxCapacity, .count, "Calls at one time that a node is believed to run."),
        Limit("max-zone-bytes", \.maxZoneBytes, .bytes, "A node whose zone has a longer name is in none."),
    ]
}
