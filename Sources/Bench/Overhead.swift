/// What a coordinator costs: the same load on a node by itself, and through a coordinator.
package struct Overhead: Sendable {
    /// What is compared of one way.
    package struct Way: Sendable, Equatable {
        package var framesPerSecond: Double
        /// Milliseconds.
        package var p50: Double
        package var mean: Double
        /// Processor time of a frame in microseconds, by role.
        package var processor: [String: Double]

        init(_ point: BenchPoint) {
            framesPerSecond = point.framesPerSecond
            (p50, mean) = (point.latencyMs.p50, point.latencyMs.mean)
            // Seconds of a thousand are milliseconds of one.
            processor = point.processorByRole.mapValues { $0 * 1000 }
        }
    }

    package let direct: Way
    package let through: Way

    /// - Parameter results: of the node, and of its mesh; one point each.
    /// - Returns: nil unless frames were answered in both.
    package init?(_ results: [BenchResult]) {
        let points = results.flatMap(\.points)
        guard results.count == 2, points.count == 2, points.allSatisfy({ $0.answered > 0 }) else { return nil }
        direct = Way(points[0])
        through = Way(points[1])
    }

    /// That much more through the coordinator.
    package var added: Way {
        var added = through
        added.framesPerSecond -= direct.framesPerSecond
        added.p50 -= direct.p50
        added.mean -= direct.mean
        for (role, time) in direct.processor { added.processor[role, default: 0] -= time }
        return added
    }
}

extension BenchPoint {
    /// Processor seconds of 1,000 frames, of all processes of a role.
    package var processorByRole: [String: Double] {
        processes.reduce(into: [:]) { sums, process in
            if let seconds = process.cpuSecondsPerThousand { sums[process.name, default: 0] += seconds }
        }
    }
}
