/// Numbers to measure at, one after the other: `N`, `START:END` or `START:END:STEP`, as perf_analyzer writes them.
package struct Sweep<Number: SweepNumber>: Sendable, Equatable {
    package let start: Number
    package let end: Number
    package let step: Number

    /// Points of one sweep.
    package static var maxPoints: Int { 1000 }

    /// - Throws: `SweepError` that says what is wrong, without the name of the option.
    package init(parsing text: String, in range: ClosedRange<Number>) throws(SweepError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else {
            throw SweepError("'\(text)' is not N, START:END or START:END:STEP")
        }
        var numbers: [Number] = []
        for part in parts {
            guard let number = Number(String(part)) else { throw SweepError("'\(part)' in '\(text)' is no number") }
            numbers.append(number)
        }
        start = numbers[0]
        end = numbers.count > 1 ? numbers[1] : start
        step = numbers.count > 2 ? numbers[2] : 1
        for number in [start, end] where !range.contains(number) {
            throw SweepError("\(number) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        guard end >= start else { throw SweepError("'\(text)' ends below its start") }
        guard step > 0, step <= range.upperBound else {
            throw SweepError("the step of '\(text)' is not above 0 and at most \(range.upperBound)")
        }
        guard Number.count(from: start, to: end, by: step) <= Self.maxPoints else {
            throw SweepError("'\(text)' has more than \(Self.maxPoints) points")
        }
    }

    /// One point.
    package init(_ number: Number) { (start, end, step) = (number, number, 1) }

    package var isOnePoint: Bool { start == end }

    /// The end is one of them only where a step falls on it.
    package var points: [Number] {
        (0..<Number.count(from: start, to: end, by: step)).map { start + step * Number($0) }
    }
}

/// What can be swept.
package protocol SweepNumber: Comparable, SignedNumeric, Sendable, LosslessStringConvertible {
    init(_ count: Int)
    /// Points from `start` to `end`.
    static func count(from start: Self, to end: Self, by step: Self) -> Int
}

extension Int: SweepNumber {
    package static func count(from start: Int, to end: Int, by step: Int) -> Int { (end - start) / step + 1 }
}

extension Double: SweepNumber {
    package static func count(from start: Double, to end: Double, by step: Double) -> Int {
        // 0.1 + 0.1 + … need not meet its end to the last bit.
        Int(clampedTo: (end - start) / step + 1e-9) + 1
    }
}

extension Int {
    /// The whole part of a number that may be too large for it, or none.
    init(clampedTo value: Double) {
        self = value.isNaN ? 0 : Int(Swift.min(Swift.max(value, -0x1p53), 0x1p53))
    }
}

/// What is wrong with a sweep.
package struct SweepError: Error, Sendable, Equatable {
    package let message: String

    init(_ message: String) { self.message = message }
}
