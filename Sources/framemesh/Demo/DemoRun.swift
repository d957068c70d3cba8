import Messages

/// What became of the frames of one part of the demo, and how far it is.
final class DemoRun {
    private(set) var summary = RunSummary()
    private var progress: Progress
    private let console: Console
    private let start = ContinuousClock.now

    init(_ console: Console, total: UInt64?) {
        self.console = console
        progress = Progress(total: total, start: start)
    }

    /// Frames to come; nil where unknown.
    var total: UInt64? {
        get { progress.total }
        set { progress.total = newValue }
    }

    func count(_ response: AnalyzeResponse) {
        summary.count(response)
        progress.advance(dropped: response.status == .dropped, failed: response.status == .error)
        console.progress { progress.line(at: .now) }
    }

    func text(unit: String) -> String { summary.text(elapsed: .now - start, unit: unit) }
}
