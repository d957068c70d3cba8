/// What reports for people say of a point beside its numbers, each without a capital and a full stop.
extension BenchPoint {
    /// Frames that were not answered, or not wholly: what became of them, and why, the most first.
    package var causes: [(what: String, count: UInt64, cause: String)] {
        let outside = "outside of the windows that count"
        let kinds: [(String, [String: UInt64])] = [
            ("failed", errors), ("failed \(outside)", errorsOutsideWindows), ("partial", partials ?? [:]),
            ("partial \(outside)", partialsOutsideWindows), ("dropped", drops),
        ]
        return kinds.flatMap { what, counts in
            counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .map { (what: what, count: $0.value, cause: $0.key) }
        }
    }

    /// nil: what had no answer at the end says nothing.
    package var unansweredText: String? {
        guard hasOverdueFrames else { return nil }
        let age = "\(Figure.column(oldestUnansweredMs, decimals: 1)) ms"
        guard unanswered > 1 else {
            let what = unsent == 0 ? "had no answer" : "was due and not sent yet"
            return "1 frame \(what) at the end, after \(age), and counts as at least that old"
        }
        var text = "\(unanswered) frames had no answer at the end, the oldest after \(age)"
        if unsent > 0 { text += "; \(unsent) of them \(unsent == 1 ? "was" : "were") due and not sent yet" }
        return text + ". Each counts as at least as old as it was then"
    }

    /// nil: all answers came in order.
    package var outOfOrderText: String? {
        guard outOfOrderAtAll > 0 else { return nil }
        return "\(Figure.count(outOfOrderAtAll, "answer")) out of order, each of which ended its stream"
    }

    /// What did not go wrong and is in no column.
    package var remarks: [String] {
        var remarks: [String] = []
        if retried > 0 { remarks.append("\(retried) answered by another node after one failed, refused or was slow") }
        if load.kind == .cameras { remarks.append(deliveryText) }
        if load.kind == .streams || load.kind == .cameras, resumptions > 0 {
            remarks.append(
                "\(Figure.count(resumptions, "resumption")) after a lost coordinator, "
                    + "\(Figure.count(framesSentAgain, "frame")) sent again, last epoch \(lastEpoch)")
        }
        if load.kind == .rate || load.kind == .cameras, longestDelayMs > Self.noticedDelayMs {
            // Frames that were not sent, or are on their way, may be later.
            let whose = unsent > 0 ? "of the frames that came to an end, the latest" : "the latest frame"
            remarks.append("\(whose) was sent \(Figure.column(longestDelayMs, decimals: 1)) ms late")
        }
        return remarks
    }

    private static let noticedDelayMs = 10.0

    private var deliveryText: String {
        let each = Figure.number(framesPerSecond / Double(max(1, load.callers)))
        let text = "delivered \(each) frames/s of each camera, \(outOfOrderAtAll) out of order"
        // Without an answer there is no age.
        guard answered > 0 else { return text }
        let (half, most) = (latencyMs.p50, latencyMs.p99)
        return text + ", age p50 \(Figure.column(half, decimals: 1)) ms, p99 \(Figure.column(most, decimals: 1)) ms"
    }
}

extension DisturbanceRecord {
    package var timeText: String { "\(Figure.text(atSeconds, decimals: 1)) s" }
    package var effectText: String { recovery?.text ?? "too short to say what it did" }
}
