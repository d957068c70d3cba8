/// What a point of a result was measured under. Points of two results are compared where it is the same.
package struct LoadDescription: Sendable, Codable, Hashable {
    package enum Kind: String, Sendable, Codable {
        /// A closed loop: each caller sends its next frame when the last one was answered.
        case concurrency
        /// An open loop: frames are sent when the schedule says.
        case rate
        /// Streams, each with frames on its way.
        case streams
        /// Cameras: streams with so many frames a second, whether they are answered or not.
        case cameras
    }

    package var kind: Kind
    /// Callers, threads, streams or cameras; of an open loop, connections.
    package var callers: Int
    /// Frames a second: of an open loop altogether, of a camera each.
    package var rate: Double?
    package var arrivals: Arrivals?
    /// Frames that each stream may have on its way.
    package var perStream: Int?
    package var policy: String?
    /// Of the capacity that was found before, under overload.
    package var factor: Double?

    package init(
        _ kind: Kind, callers: Int, rate: Double? = nil, arrivals: Arrivals? = nil, perStream: Int? = nil,
        policy: String? = nil, factor: Double? = nil
    ) {
        self.kind = kind
        self.callers = callers
        self.rate = rate
        self.arrivals = arrivals
        self.perStream = perStream
        self.policy = policy
        self.factor = factor
    }

    /// In a few words.
    package var text: String {
        // Of overload that is compared there is none.
        let rate = rate.map { Figure.number($0) + " frames/s " } ?? ""
        let load =
            switch kind {
            case .concurrency: "concurrency \(callers)"
            case .rate: rate + (arrivals?.rawValue ?? "")
            case .streams: "\(callers) × stream of \(perStream ?? 1)"
            case .cameras: "\(callers) × \(rate.isEmpty ? "camera " : rate)\(policy ?? "")"
            }
        return factor.map { "\(Figure.number($0)) × capacity, \(load)" } ?? load
    }

    /// Of overload, rates follow from the capacity that each run found: what was asked for is the factor.
    var comparable: LoadDescription {
        guard factor != nil else { return self }
        var load = self
        load.rate = nil
        return load
    }

    /// Frames are sent when a schedule says so: of an open loop, or of cameras under overload.
    var isPlanned: Bool { kind == .rate || factor != nil }

    /// Altogether, as planned; nil: it is what the answers make of it.
    var framesPerSecond: Double? {
        switch kind {
        case .rate: rate
        case .cameras: rate.map { $0 * Double(callers) }
        case .concurrency, .streams: nil
        }
    }

    /// Where it is on the axis of a plot.
    package var number: Double {
        if let factor { return factor }
        return kind == .rate ? rate ?? 0 : Double(callers)
    }
}
