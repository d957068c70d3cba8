/// What became of all frames of a point: those of the warm-up, of windows that are not kept, and those that were answered after
/// the last window, too.
package struct WholeRun: Sendable, Codable, Equatable {
    package private(set) var answered: UInt64 = 0
    package private(set) var partial: UInt64 = 0
    /// By cause; nil: an older program did not say.
    package private(set) var partials: [String: UInt64]? = [:]
    package private(set) var failed: UInt64 = 0
    /// By cause.
    package private(set) var errors: [String: UInt64] = [:]
    package private(set) var dropped: UInt64 = 0
    package private(set) var drops: [String: UInt64] = [:]
    package private(set) var outOfOrder: UInt64 = 0

    package init() {}

    package mutating func record(_ outcome: FrameOutcome) {
        switch outcome.ending {
        case .ok: answered += 1
        case .partial(let cause):
            answered += 1
            partial += 1
            var causes = partials ?? [:]
            Tally.count(cause, in: &causes)
            partials = causes
        case .dropped(let cause):
            dropped += 1
            Tally.count(cause, in: &drops)
        case .failed(let cause), .refused(let cause):
            failed += 1
            Tally.count(cause, in: &errors)
        }
    }

    package mutating func countOutOfOrder() { outOfOrder += 1 }
}

extension BenchPoint {
    /// In the windows or not.
    package var partialAtAll: UInt64 { wholeRun?.partial ?? partial }
    package var failedAtAll: UInt64 { wholeRun?.failed ?? failed }
    package var outOfOrderAtAll: UInt64 { wholeRun?.outOfOrder ?? outOfOrder }

    /// Failures that no window that is kept shows, by cause.
    package var errorsOutsideWindows: [String: UInt64] { Self.rest(of: wholeRun?.errors, shown: errors) }
    /// Partial answers, likewise.
    package var partialsOutsideWindows: [String: UInt64] { Self.rest(of: wholeRun?.partials, shown: partials) }

    private static func rest(of all: [String: UInt64]?, shown: [String: UInt64]?) -> [String: UInt64] {
        (all ?? [:]).reduce(into: [:]) { outside, cause in
            let inside = shown?[cause.key] ?? 0
            if cause.value > inside { outside[cause.key] = cause.value - inside }
        }
    }
}
