import Messages
import Results

/// Prints the answers of a run as they come: JSON lines for machines, a table per picture for people.
final class AnswerPrinter {
    let console: Console
    private let json: Bool
    private let tables: Bool
    private let stages: [String]
    /// What is sent, one of it.
    private let unit: String
    private(set) var summary = RunSummary()
    private var progress: Progress
    private let start: ContinuousClock.Instant

    /// Detections that one table lists for people.
    static let maxRows = 50

    /// - Parameters:
    ///   - tables: without JSON, a table for each frame; otherwise only for those that failed.
    ///   - stages: of the pipeline.
    init(
        console: Console, json: Bool, tables: Bool, stages: [String], unit: String = "frame", total: UInt64?,
        start: ContinuousClock.Instant = .now
    ) {
        self.console = console
        self.json = json
        self.tables = tables
        self.stages = stages
        self.unit = unit
        self.start = start
        progress = Progress(total: total, start: start)
    }

    /// Frames to come; nil where unknown.
    var total: UInt64? {
        get { progress.total }
        set { progress.total = newValue }
    }

    /// - Throws: `Fatal` if standard output takes no more.
    func print(_ answer: SourceAnswer) throws {
        let status = answer.response.status
        summary.count(answer.response, of: tables ? answer.source : nil)
        progress.advance(dropped: status == .dropped, failed: status == .error || status == .partial)
        if json {
            try console.print(answer.line(stages: stages))
        } else if tables || status == .error {
            try console.print(Self.table(answer))
        }
        console.progress { progress.line(at: .now) }
    }

    /// The last words. JSON alone stays on standard output, so there it is standard error that hears them, and of the
    /// numbers only if it is a terminal.
    func finish() throws {
        console.clearProgress()
        let text = summary.text(elapsed: .now - start, unit: unit)
        if !json {
            try console.print(text)
        } else if console.showsProgress {
            console.note(text)
        }
        // With tables each frame has said it already.
        for note in tables && !json ? summary.retryNotes : summary.notes { console.note(note) }
    }

    /// How far a run came that does not come to its end.
    func noteCutShort() {
        console.note(Self.cutShort(summary.frames, of: total, unit))
    }

    static func cutShort(_ count: UInt64, of total: UInt64?, _ unit: String) -> String {
        "\(answered(count, of: total, unit)) \(count == 1 || count == 0 && total == 1 ? "was" : "were") answered"
    }

    /// `7 of 9 frames`, or `7 frames`.
    private static func answered(_ count: UInt64, of total: UInt64?, _ unit: String) -> String {
        // A container may say less than it has.
        guard let total, total >= count else { return Count.of(count, unit) }
        return "\(count) of \(Count.of(total, unit))"
    }

    /// A video that is not all there. All that was decoded was answered.
    func noteDamaged(_ packets: UInt64) {
        let answered = Self.answered(summary.frames, of: total, unit)
        console.note(
            "\(Count.of(packets, "packet")) \(packets == 1 ? "was" : "were") damaged, \(answered) decoded and answered")
    }

    /// A picture's name, and what was found on it.
    static func table(_ answer: SourceAnswer) -> String {
        let response = answer.response
        var title = answer.source
        if response.width > 0 { title += "  \(response.width)×\(response.height)" }
        if let total = response.timing.first(where: { $0.stage == "total" }) {
            title += "  \(JSONText.number(Double(total.microseconds) / 1000, decimals: 1)) ms"
        }
        if response.status != .ok { title += "  \(response.status.word): \(response.cause.onOneLine)" }
        var table = Table("what", "confidence>", "x>", "y>", "width>", "height>", "track>", "classes")
        table.hidesEmptyColumns = true
        for detection in response.detections.prefix(maxRows) {
            let box = detection.box
            table.add(
                detection.label, percent(detection.confidence), pixels(box.x), pixels(box.y), pixels(box.width),
                pixels(box.height), detection.trackID.map { "\($0)" } ?? "", Self.classes(detection.classes))
        }
        var lines = [title]
        if !table.isEmpty { lines += table.lines.map { "  " + $0 } }
        if response.detections.count > maxRows { lines.append("  and \(response.detections.count - maxRows) more") }
        if !response.classes.isEmpty { lines.append("  " + classes(response.classes)) }
        return lines.joined(separator: "\n")
    }

    private static func classes(_ classes: [Classification]) -> String {
        classes.map { "\($0.label) \(percent($0.confidence))" }.joined(separator: ", ")
    }

    private static func percent(_ confidence: Float) -> String {
        JSONText.number(Double(confidence) * 100, decimals: 1) + "%"
    }

    private static func pixels(_ length: Float) -> String { JSONText.number(Double(length), decimals: 0) }
}
