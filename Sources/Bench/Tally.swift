/// What was seen of the frames that ended in some time. Those of several windows or callers add up.
package struct Tally: Sendable {
    /// Causes kept apart, of each kind; further ones are counted together.
    package static let maxCauses = 16
    /// Names of steps that are kept apart; a peer may name any.
    package static let maxStages = 64
    package static let otherCauses = "other causes"

    /// Of frames that were answered `ok` or `partial`, since they were planned.
    package private(set) var latencies = LatencyHistogram()
    package private(set) var ok: UInt64 = 0
    /// Frames that were answered without one of their stages, by cause.
    package private(set) var partials: [String: UInt64] = [:]
    /// Frames without an answer of use, by cause; refused ones among them.
    package private(set) var errors: [String: UInt64] = [:]
    /// There was no room for them.
    package private(set) var refused: UInt64 = 0
    /// By the policy of their stream, by cause.
    package private(set) var drops: [String: UInt64] = [:]
    package private(set) var detections: UInt64 = 0
    package private(set) var retried: UInt64 = 0
    /// Answers of streams whose turn it was not: each ended its stream.
    package private(set) var outOfOrder: UInt64 = 0
    /// Frames that were sent, whatever became of them.
    package private(set) var sent: UInt64 = 0
    /// How long after its time the latest of them was sent.
    package private(set) var longestDelay: Duration = .zero
    /// Times that a stream lost its coordinator and began again, and frames that it sent for the second time.
    package private(set) var resumptions: UInt64 = 0
    package private(set) var sentAgain: UInt64 = 0
    /// The highest epoch of a stream that an answer bore.
    package private(set) var lastEpoch: UInt32 = 0
    private var stages: [String: (microseconds: Double, frames: Double)] = [:]
    private var server = ServerSplitSum()
    private var client = ClientSplitSum()

    package init() {}

    package var partial: UInt64 { partials.values.reduce(0, +) }
    package var answered: UInt64 { ok + partial }
    package var failed: UInt64 { errors.values.reduce(0, +) }
    package var dropped: UInt64 { drops.values.reduce(0, +) }
    package var ended: UInt64 { answered + failed + dropped }

    package var serverSplit: ServerSplit? { server.means }
    package var clientSplit: ClientSplit? { client.means }
    /// Milliseconds of each step, of the frames that had it.
    package var stageMeans: [String: Double] {
        stages.mapValues { $0.frames == 0 ? 0 : $0.microseconds / $0.frames / 1000 }
    }

    package mutating func record(_ outcome: FrameOutcome) {
        longestDelay = max(longestDelay, outcome.delay)
        switch outcome.ending {
        case .ok: ok += 1
        case .partial(let cause): Self.count(cause, in: &partials)
        case .dropped(let cause): return Self.count(cause, in: &drops)
        case .failed(let cause): return Self.count(cause, in: &errors)
        case .refused(let cause):
            refused += 1
            return Self.count(cause, in: &errors)
        }
        latencies.record(outcome.latency)
        detections += UInt64(outcome.detections)
        if outcome.isRetried { retried += 1 }
        lastEpoch = max(lastEpoch, outcome.epoch)
        for (name, microseconds) in outcome.stages { add(name, Double(microseconds), frames: 1) }
        server.add(outcome.stages)
        if let times = outcome.client { client.add(times) }
    }

    package mutating func countSent() { sent += 1 }
    package mutating func countOutOfOrder() { outOfOrder += 1 }

    /// A stream lost its coordinator, and sends so many frames again.
    package mutating func resumed(again: Int) {
        resumptions += 1
        sentAgain += UInt64(max(0, again))
    }

    static func count(_ cause: String, _ number: UInt64 = 1, in causes: inout [String: UInt64]) {
        let isKnown = causes[cause] != nil || causes.count < maxCauses
        causes[isKnown ? cause : otherCauses, default: 0] += number
    }

    private mutating func add(_ name: String, _ microseconds: Double, frames: Double) {
        guard stages[name] != nil || stages.count < Self.maxStages else { return }
        stages[name, default: (0, 0)].microseconds += microseconds
        stages[name, default: (0, 0)].frames += frames
    }

    package mutating func add(_ other: Tally) {
        latencies.add(other.latencies)
        ok += other.ok
        refused += other.refused
        detections += other.detections
        retried += other.retried
        outOfOrder += other.outOfOrder
        sent += other.sent
        longestDelay = max(longestDelay, other.longestDelay)
        resumptions += other.resumptions
        sentAgain += other.sentAgain
        lastEpoch = max(lastEpoch, other.lastEpoch)
        for (cause, number) in other.partials { Self.count(cause, number, in: &partials) }
        for (cause, number) in other.errors { Self.count(cause, number, in: &errors) }
        for (cause, number) in other.drops { Self.count(cause, number, in: &drops) }
        for (name, stage) in other.stages { add(name, stage.microseconds, frames: stage.frames) }
        server.add(other.server)
        client.add(other.client)
    }
}
