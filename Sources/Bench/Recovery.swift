/// What a disturbance did to the throughput, and how long that lasted, as windows show it.
package struct Recovery: Sendable, Codable, Equatable {
    /// The median of the windows since the disturbance before.
    package var framesPerSecondBefore: Double
    /// Of one window, until the next disturbance or the end.
    package var framesPerSecondWorst: Double
    /// Since the disturbance, until the end of the window in which it was as before; 0: it was never much less; nil: it was not as
    /// before until the next disturbance or the end.
    package var secondsUntilAsBefore: Double?

    /// Below the usual by this share is not as before.
    static let tolerance = 0.1

    package var text: String {
        let rates =
            "\(Figure.rate(framesPerSecondBefore)) frames/s before it, "
            + "\(Figure.rate(framesPerSecondWorst)) in the worst window"
        return switch secondsUntilAsBefore {
        case 0: "\(rates), never much less"
        case .some(let seconds): "\(rates), as before within \(Figure.text(seconds, decimals: 1)) s"
        case nil: "\(rates), not as before until the next one or the end"
        }
    }

    private struct Window {
        /// Seconds since the first one began.
        var end: Double
        var rate: Double
    }

    /// Of each disturbance, in order. Those with no window between them are followed by the same windows.
    /// - Parameters:
    ///   - times: of the disturbances, in order; seconds since the first window began.
    ///   - windows: all of them.
    /// - Returns: nil for those without a window before or after them.
    static func each(after times: [Double], _ windows: [WindowRecord]) -> [Recovery?] {
        // By how many disturbances came before their middle: each ends a little late, and a disturbance may come at its end.
        var parts = [[Window]](repeating: [], count: times.count + 1)
        var now = 0.0
        for window in windows {
            now += window.seconds
            parts[times.count { $0 < now - window.seconds / 2 }].append(Window(end: now, rate: window.framesPerSecond))
        }
        return times.enumerated().map { index, time in
            guard let before = parts[...index].last(where: { !$0.isEmpty }),
                let after = parts[(index + 1)...].first(where: { !$0.isEmpty })
            else { return nil }
            return Recovery(from: time, before.map(\.rate), after)
        }
    }

    private init(from time: Double, _ before: [Double], _ after: [Window]) {
        let usual = Self.median(before)
        let enough = usual * (1 - Self.tolerance)
        framesPerSecondBefore = usual
        framesPerSecondWorst = after.map(\.rate).min() ?? 0
        if let low = after.firstIndex(where: { $0.rate < enough }) {
            secondsUntilAsBefore = after[low...].first { $0.rate >= enough }.map { $0.end - time }
        } else {
            secondsUntilAsBefore = 0
        }
    }

    /// Of one or more.
    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
