/// What an attempt of a call asks of the source of its connection.
public struct NextAttempt: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// Of the call: its deadline, and whether it waits for a connection (`waitForReady`).
    public var options: CallOptions
    /// Endpoints where this call has failed, or still runs: to be asked again only if there is no other.
    public var tried: Set<String>
    public var demand: EndpointDemand

    public init(
        path: String, options: CallOptions, tried: Set<String> = [], demand: EndpointDemand = EndpointDemand()
    ) {
        self.path = path
        self.options = options
        self.tried = tried
        self.demand = demand
    }
}

/// Which endpoints an attempt may go to.
public struct EndpointDemand: Sendable, Equatable {
    /// Rather none than one that was tried.
    public var elsewhereOnly: Bool
    /// An attempt of the same call still runs. Only an endpoint that is well and has room; nobody waits for one.
    public var isHedge: Bool
    /// The connection of an earlier attempt broke while it ran. Its endpoint may have died of this call, so no other
    /// suspect may run where this one does.
    public var isSuspect: Bool

    public init(elsewhereOnly: Bool = false, isHedge: Bool = false, isSuspect: Bool = false) {
        self.elsewhereOnly = elsewhereOnly
        self.isHedge = isHedge
        self.isSuspect = isSuspect
    }
}
