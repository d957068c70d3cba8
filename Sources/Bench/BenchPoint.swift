/// What was measured under one load.
package struct BenchPoint: Sendable, Codable, Equatable {
    package var load: LoadDescription
    /// That the numbers below are of: all windows that were kept.
    package var seconds: Double
    /// The last windows agreed.
    package var isStable: Bool
    /// Windows that were measured; of a run until they agree, only the last ones were kept.
    package var trials: Int
    /// It was ended before its time.
    package var isInterrupted: Bool
    /// What kept all further frames from being answered; nil: nothing did.
    package var error: String?
    /// Within the limit that was asked for; nil: there was none.
    package var isWithinLimit: Bool?

    /// Of frames that were answered.
    package var framesPerSecond: Double
    /// Of frames that were sent.
    package var sentPerSecond: Double
    package var answered: UInt64
    package var ok: UInt64
    package var partial: UInt64
    /// By cause; nil: an older program did not say.
    package var partials: [String: UInt64]?
    package var failed: UInt64
    /// Of those that failed.
    package var refused: UInt64
    package var errors: [String: UInt64]
    package var dropped: UInt64
    package var drops: [String: UInt64]
    package var outOfOrder: UInt64
    package var detections: UInt64
    package var retried: UInt64
    package var resumptions: UInt64
    package var framesSentAgain: UInt64
    package var lastEpoch: UInt32
    /// Frames that had no answer at the end; the latencies count them as at least their age. A closed loop always has some.
    package var unanswered: UInt64
    /// Of these, those that were due and not sent yet.
    package var unsent: UInt64
    /// Milliseconds since the oldest of them was planned.
    package var oldestUnansweredMs: Double
    /// The longest latency of those that were answered; 0: none was.
    package var longestAnsweredMs: Double
    /// Since frames were planned to be sent; of cameras, their age when the answer came. Of none, if none was answered.
    package var latencyMs: LatencyFigures
    /// How long after its time the latest frame was sent.
    package var longestDelayMs: Double
    package var distribution: [DistributionPoint]
    package var stagesMeanMs: [String: Double]
    package var serverMs: ServerSplit?
    package var clientMs: ClientSplit?
    package var processes: [ProcessRecord]
    package var windows: [WindowRecord]
    /// Of all frames, in those windows or not; nil: an older program did not say.
    package var wholeRun: WholeRun?
    /// Seconds since the start, of what was done to the mesh meanwhile.
    package var disturbances: [DisturbanceRecord]

    /// - Parameters:
    ///   - windows: those that were kept, with their lengths in seconds.
    ///   - cut: what was on its way at their begin and at their end.
    ///   - processes: what each took in the time of those windows.
    ///   - disturbances: in order, of windows all of which were kept.
    package init(
        _ load: LoadDescription, windows: [(tally: Tally, seconds: Double)], cut: CutFrames = CutFrames(),
        isStable: Bool, trials: Int, isInterrupted: Bool = false, processes: [ProcessRecord] = [],
        wholeRun: WholeRun? = nil, disturbances: [DisturbanceRecord] = []
    ) {
        var all = Tally()
        for window in windows { all.add(window.tally) }
        let seconds = windows.reduce(0) { $0 + $1.seconds }
        self.load = load
        self.seconds = seconds
        self.isStable = isStable
        self.trials = trials
        self.isInterrupted = isInterrupted
        framesPerSecond = seconds > 0 ? Double(all.answered) / seconds : 0
        sentPerSecond = seconds > 0 ? Double(all.sent) / seconds : 0
        answered = all.answered
        ok = all.ok
        partial = all.partial
        partials = all.partials
        failed = all.failed
        refused = all.refused
        errors = all.errors
        dropped = all.dropped
        drops = all.drops
        outOfOrder = all.outOfOrder
        detections = all.detections
        retried = all.retried
        resumptions = all.resumptions
        framesSentAgain = all.sentAgain
        lastEpoch = all.lastEpoch
        unanswered = cut.unanswered.count
        unsent = cut.unsent
        oldestUnansweredMs = cut.unanswered.longest
        longestAnsweredMs = all.latencies.longest
        longestDelayMs = all.longestDelay / .milliseconds(1)
        if all.answered == 0 {
            // The age of those that had no answer is no latency.
            (latencyMs, distribution) = (LatencyFigures.none, [])
        } else if cut.unanswered.count == 0 {
            (latencyMs, distribution) = (all.latencies.figures, all.latencies.distribution)
        } else {
            let estimate = LatencyEstimate(answered: all.latencies, cut)
            (latencyMs, distribution) = (estimate.figures, estimate.distribution)
        }
        stagesMeanMs = all.stageMeans
        serverMs = all.serverSplit
        clientMs = all.clientSplit
        self.processes = processes
        self.windows = windows.map { WindowRecord($0.tally, seconds: $0.seconds) }
        self.wholeRun = wholeRun
        self.disturbances = disturbances
        for (index, recovery) in Recovery.each(after: disturbances.map(\.atSeconds), wholeWindows).enumerated() {
            self.disturbances[index].recovery = recovery
        }
    }

    /// Those that were not cut short: the last one of a run that was interrupted may be a moment long.
    var wholeWindows: [WindowRecord] { isInterrupted ? windows.dropLast() : windows }

    /// It was ended in its warm-up: nothing was measured.
    package var isEmpty: Bool { isInterrupted && windows.isEmpty }

    /// What had no answer at the end says something: it took longer than all that was answered, or was not even sent.
    package var hasOverdueFrames: Bool { unsent > 0 || oldestUnansweredMs > longestAnsweredMs }

    /// The latency that a limit is about, of frames that were answered.
    /// - Parameter percentile: one of those that are recorded; nil: the mean.
    package func latency(_ percentile: Double?) -> Double { latencyMs.value(of: percentile) }
}

extension LatencyFigures {
    /// Percentiles that are recorded, as options take them.
    package static let percentiles: [Double] = [50, 90, 95, 99, 99.9]

    package func value(of percentile: Double?) -> Double {
        switch percentile {
        case 50: p50
        case 90: p90
        case 95: p95
        case 99: p99
        case 99.9: p999
        default: mean
        }
    }
}

/// Something that was done to a process on purpose.
package struct DisturbanceRecord: Sendable, Codable, Equatable {
    /// Since the first window began.
    package var atSeconds: Double
    package var text: String
    /// It was not done, or a command failed, as the text says; nil: an older program did not say.
    package var hasFailed: Bool?
    /// Of the shell of a command, or 128 and the number of the signal that ended it; nil: it is no command, or did not end by
    /// itself.
    package var exitCode: Int32?
    /// nil: there was no window before it, or none after it.
    package var recovery: Recovery?

    package init(atSeconds: Double, text: String, hasFailed: Bool = false, exitCode: Int32? = nil) {
        self.atSeconds = atSeconds
        self.text = text
        self.hasFailed = hasFailed
        self.exitCode = exitCode
    }
}
