import Messages
import Results

/// What became of the frames of a run.
struct RunSummary: Sendable {
    /// Causes kept apart; further ones are counted together.
    static let maxCauses = 16

    private(set) var frames: UInt64 = 0
    private(set) var ok: UInt64 = 0
    private(set) var partial: UInt64 = 0
    private(set) var dropped: UInt64 = 0
    private(set) var errors: UInt64 = 0
    /// Frames that another node answered after the first one asked had failed.
    private(set) var retried: UInt64 = 0
    private(set) var detections: UInt64 = 0
    /// Why frames were not `ok`, by the cause without its numbers.
    private(set) var causes: [String: Cause] = [:]

    struct Cause: Sendable {
        var status: AnswerStatus
        var count: UInt64 = 0
        /// The first such cause, as it was said, behind the name of what it is about.
        var example: String
    }

    /// - Parameter source: what the answer is about, where causes are not all about the same; nil otherwise.
    mutating func count(_ response: AnalyzeResponse, of source: String? = nil) {
        frames += 1
        switch response.status {
        case .ok: ok += 1
        case .partial: partial += 1
        case .dropped: dropped += 1
        case .error: errors += 1
        }
        if response.attempts > 0, response.status == .ok || response.status == .partial { retried += 1 }
        detections += UInt64(response.detections.count)
        if response.status != .ok { count(cause: response.cause, response.status, source) }
    }

    private mutating func count(cause: String, _ status: AnswerStatus, _ source: String?) {
        let kind = Self.kind(of: cause)
        let known = causes[kind] != nil || causes.count < Self.maxCauses
        let example = (source.map { "\($0): " } ?? "") + cause.onOneLine
        causes[known ? kind : "other causes", default: Cause(status: status, example: example)].count += 1
    }

    /// Every frame was answered `ok`, or dropped by the policy that was asked for.
    func isSuccess(policy: StreamPolicy) -> Bool {
        errors == 0 && partial == 0 && (dropped == 0 || policy != .lossless)
    }

    /// One line.
    /// - Parameter unit: what was sent, one of it.
    func text(elapsed: Duration, unit: String = "frame") -> String {
        var parts = ["\(ok) ok"]
        if partial > 0 { parts.append("\(partial) partial") }
        if dropped > 0 { parts.append("\(dropped) dropped") }
        if errors > 0 { parts.append("\(errors) failed") }
        let seconds = elapsed / .seconds(1)
        let rate = seconds > 0 ? Double(frames) / seconds : 0
        return "\(Count.of(frames, unit)): \(parts.joined(separator: ", ")); \(Count.of(detections, "detection")); "
            + "\(JSONText.number(seconds, decimals: 2)) s, \(JSONText.number(rate, decimals: 1)) \(unit)s/s"
    }

    /// What a reader should know beyond the numbers.
    var notes: [String] { retryNotes + causeNotes }

    /// What a reader should know of frames that went well.
    var retryNotes: [String] {
        let frames = retried == 1 ? "frame was" : "frames were"
        if retried == 0 { return [] }
        return ["\(retried) \(frames) answered by another node after one failed, refused or was slow"]
    }

    /// Why the others did not.
    var causeNotes: [String] {
        causes.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { _, cause in
            let what = cause.status == .error ? "failed" : cause.status.word
            return "\(cause.count) \(what), \(cause.count > 1 ? "the first: " : "")\(cause.example)"
        }
    }

    /// A cause with its numbers masked, so that `replaced by the newer frame 7` and `… 8` are one.
    static func kind(of cause: String) -> String {
        var kind = ""
        var inNumber = false
        for character in cause.onOneLine {
            if character.isASCII, character.isNumber {
                if !inNumber { kind.append("N") }
                inNumber = true
            } else {
                kind.append(character)
                inNumber = false
            }
        }
        return kind.isEmpty ? "no cause given" : kind
    }
}
