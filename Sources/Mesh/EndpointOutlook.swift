/// What a call has to expect of the endpoint that is the best one for it now.
public struct EndpointOutlook: Sendable, Equatable {
    /// The cost that it is picked by: the latency of answers, times the calls that it has for each that it runs at one time;
    /// nanoseconds. nil: it has not answered yet.
    public var cost: Double?
    /// Calls that it has for each that it runs at one time.
    public var fill: Double
    /// Calls that all of those endpoints which calls go to run at one time.
    public var capacity: Int
    /// Calls that they have, of others too.
    public var load: Int

    public init(cost: Double?, fill: Double, capacity: Int, load: Int) {
        self.cost = cost
        self.fill = fill
        self.capacity = capacity
        self.load = load
    }
}
