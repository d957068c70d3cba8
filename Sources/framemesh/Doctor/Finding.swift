import Results

/// What the doctor has seen in one place.
struct Finding: Sendable, Equatable {
    enum Verdict: String, Sendable { case ok, note, wrong }

    /// What was looked at: `name`, `tcp`, `tls`, `grpc`, `http`, `health`, `version`, `clock`, `round trip`, `nodes`,
    /// `pipelines` (that are not tried), `pipeline NAME`, `model NAME`.
    var check: String
    var verdict: Verdict
    /// In plain words.
    var text: String
    /// What to do about it.
    var advice: String?

    static func ok(_ check: String, _ text: String) -> Finding { Finding(check: check, verdict: .ok, text: text) }

    static func note(_ check: String, _ text: String, do advice: String? = nil) -> Finding {
        Finding(check: check, verdict: .note, text: text, advice: advice)
    }

    static func wrong(_ check: String, _ text: String, do advice: String) -> Finding {
        Finding(check: check, verdict: .wrong, text: text, advice: advice)
    }

    /// It took the connection, and nothing more came.
    static func silent(_ check: String, within time: Duration) -> Finding {
        .wrong(
            check, "it takes the connection and does not answer within \(time / .seconds(1)) s: it may hang",
            do:
                "Look at its process where it runs: is it stopped, or far too busy? If it is no role of Framemesh: is the port right?"
        )
    }

    /// A coordinator that was told of none, or finds none where it was told.
    static func withoutNodes(_ coordinator: String) -> Finding {
        .wrong(
            "nodes", "\(coordinator) knows no nodes",
            do:
                "Tell it where they are: --detectors and --classifiers, or --nodes; and start them (framemesh detector)."
        )
    }

    /// A node that its coordinator takes for ready, by what it has heard of it until now, and that said nothing when the
    /// coordinator asked it for us.
    /// - Parameters:
    ///   - node: its role and address.
    ///   - reason: what the coordinator says of it.
    static func unheard(_ node: String, _ reason: String) -> Finding {
        .wrong("nodes", "\(node) is taken for ready, and \(reason)", do: Self.ofSilence)
    }

    /// What to do about a node that says nothing.
    static let ofSilence =
        "It hangs, is stopped or has just ended, or the network drops what it says: look at its process, its log and its load."

    /// For people.
    var line: String {
        let head = verdict.rawValue.padding(to: 6) + check.padding(to: Self.checkWidth) + " "
        return head + text.onOneLine + (advice.map { "\n\("".padding(to: head.count))\($0)" } ?? "")
    }

    private static let checkWidth = "pipeline detect+classify".count

    func fields(_ json: inout JSONText) {
        json.field("check", check)
        json.field("verdict", verdict.rawValue)
        json.field("text", text.onOneLine)
        if let advice { json.field("advice", advice) }
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

/// What the doctor has seen so far. Each finding is told at once.
struct Findings: Sendable {
    private(set) var all: [Finding] = []
    let tell: @Sendable (Finding) throws -> Void

    mutating func add(_ finding: Finding) throws {
        all.append(finding)
        try tell(finding)
    }

    var isWell: Bool { !all.contains { $0.verdict == .wrong } }
}
