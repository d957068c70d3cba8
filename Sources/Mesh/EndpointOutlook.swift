/// What a call has to expect of the endpoint that is the best one for it now.
public struct EndpointOutlook: Sendable, Equatable {
    /// The cost that it is picked by: the latency of answers, times the calls that it has for each that it runs at one time;
    /// nanoseconds. nil: it has not answered yet.
    public var cost: Double?
    /// Calls that it has for each that it runs at one time.
    public var fill: Double

    public init(cost: Double?, fill: Double) {
        self.cost = cost
        self.fill = fill
    }
}
