import Histogram
import Messages

/// What was seen of a run: how long frames took, and what became of them. Those of several callers add up.
struct Measurement: Sendable {
    struct Stage: Sendable {
        var microseconds: UInt64 = 0
        var frames: UInt64 = 0

        var meanMilliseconds: Double { frames == 0 ? 0 : Double(microseconds) / Double(frames) / 1000 }
    }

    /// Microseconds from the start of a frame's call to its answer, of frames that were answered `ok` or `partial`.
    private(set) var latencies = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    private(set) var ok: UInt64 = 0
    private(set) var partial: UInt64 = 0
    /// Frames that failed, by cause without its numbers.
    private(set) var errors: [String: UInt64] = [:]
    private(set) var detections: UInt64 = 0
    /// Frames that another node answered after a failure.
    private(set) var retried: UInt64 = 0
    /// Times that a stream lost its coordinator and began again, and frames that it sent for the second time.
    private(set) var resumptions: UInt64 = 0
    private(set) var sentAgain: UInt64 = 0
    /// The highest epoch of a stream that an answer bore.
    private(set) var lastEpoch: UInt32 = 0
    /// In the order in which they were first seen.
    private(set) var stages: [(name: String, stage: Stage)] = []

    var answered: UInt64 { ok + partial }
    var failed: UInt64 { errors.values.reduce(0, +) }

    /// Names of stages that are kept apart; a peer may name any.
    static let maxStages = 64

    mutating func record(_ response: AnalyzeResponse, took latency: Duration) {
        switch response.status {
        case .ok: ok += 1
        case .partial: partial += 1
        case .dropped, .error:
            fail(response.cause)
            return
        }
        latencies.record(Self.microseconds(latency))
        detections += UInt64(response.detections.count)
        if response.attempts > 0 { retried += 1 }
        lastEpoch = max(lastEpoch, response.epoch)
        for timing in response.timing { add(timing.stage, timing.microseconds, frames: 1) }
    }

    mutating func fail(_ cause: String) {
        let kind = RunSummary.kind(of: cause)
        let known = errors[kind] != nil || errors.count < RunSummary.maxCauses
        errors[known ? kind : "other causes", default: 0] += 1
    }

    /// A stream lost its coordinator, and sends so many frames again.
    mutating func resumed(again: Int) {
        resumptions += 1
        sentAgain += UInt64(again)
    }

    private mutating func add(_ name: String, _ microseconds: UInt64, frames: UInt64) {
        if let index = stages.firstIndex(where: { $0.name == name }) {
            stages[index].stage.microseconds &+= microseconds
            stages[index].stage.frames += frames
        } else if stages.count < Self.maxStages {
            stages.append((name, Stage(microseconds: microseconds, frames: frames)))
        }
    }

    mutating func add(_ other: Measurement) {
        latencies.add(other.latencies)
        ok += other.ok
        partial += other.partial
        detections += other.detections
        retried += other.retried
        resumptions += other.resumptions
        sentAgain += other.sentAgain
        lastEpoch = max(lastEpoch, other.lastEpoch)
        errors.merge(other.errors, uniquingKeysWith: +)
        for (name, stage) in other.stages { add(name, stage.microseconds, frames: stage.frames) }
    }

    /// Milliseconds that `percentile` (0…100) of the frames stayed below; 0 if there were none.
    func milliseconds(at percentile: Double) -> Double {
        latencies.totalCount == 0 ? 0 : Double(latencies.valueAtPercentile(percentile)) / 1000
    }

    private static func microseconds(_ duration: Duration) -> UInt64 {
        UInt64(max(0, min(duration / .microseconds(1), 0x1p53)))
    }
}
