import Foundation

/// How the distances between frames of an open loop are spread.
package enum Arrivals: String, Sendable, Codable, CaseIterable {
    /// All the same.
    case constant
    /// Exponential: as frames of many senders come that know nothing of each other.
    case poisson
}

/// When frames of an open loop are to be sent, counted from the start. It knows nothing of answers, so that a slow answer
/// delays no later frame: one that is sent late counts its latency from when it was planned (no coordinated omission).
package struct ArrivalSchedule: Sendable {
    /// Frames a second.
    package static let rates = 0.001...1_000_000.0

    private let arrivals: Arrivals
    /// Seconds.
    private let interval: Double
    private var chance: SeededGenerator
    private var number = 0.0
    private var last = 0.0

    /// - Parameters:
    ///   - rate: frames a second on average, in `rates`; beyond it, the nearest of them.
    ///   - seed: of the distances, where they are chance.
    package init(_ arrivals: Arrivals, rate: Double, seed: UInt64) {
        self.arrivals = arrivals
        interval = 1 / Swift.min(Swift.max(rate, Self.rates.lowerBound), Self.rates.upperBound)
        chance = SeededGenerator(seed: seed)
    }

    /// Of the next frame. With `constant` the first is at zero; times never go back.
    package mutating func next() -> Duration {
        switch arrivals {
        case .constant:
            // Multiplied, not added up: the sum of many rounded distances would drift.
            last = number * interval
            number += 1
        case .poisson:
            // In (0, 1]: the logarithm of zero is none.
            let share = 1 - Double.random(in: 0..<1, using: &chance)
            last += -log(share) * interval
        }
        return .seconds(last)
    }
}
