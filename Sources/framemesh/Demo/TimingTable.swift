import Foundation
import Messages

/// The time that each stage took, over many frames.
struct TimingTable {
    private var order: [String] = []
    private var samples: [String: [UInt64]] = [:]

    mutating func add(_ timing: [Timing]) {
        for step in timing {
            if samples[step.stage] == nil { order.append(step.stage) }
            samples[step.stage, default: []].append(step.microseconds)
        }
    }

    /// One row a stage, in the order in which they happen; `total` comes last.
    var table: Table {
        var table = Table("stage", "frames>", "median ms>", "mean ms>", "longest ms>")
        for stage in order.filter({ $0 != "total" }) + order.filter({ $0 == "total" }) {
            let times = (samples[stage] ?? []).sorted()
            let mean = Double(times.reduce(0, &+)) / Double(max(1, times.count))
            table.add(
                stage, "\(times.count)", Self.milliseconds(Double(times[times.count / 2])), Self.milliseconds(mean),
                Self.milliseconds(Double(times.last ?? 0)))
        }
        return table
    }

    /// With two decimals, so that the points of a column stand below each other.
    static func milliseconds(_ microseconds: Double) -> String {
        (microseconds / 1000).formatted(.number.precision(.fractionLength(2)).grouping(.never).locale(Self.plain))
    }

    private static let plain = Locale(identifier: "en_US_POSIX")
}
