@testable import Bench

/// Results that tests are about.
enum Samples {
    static let environment = EnvironmentRecord(
        cpu: "Some CPU @ 2 GHz", cores: 2, affinity: "0-1", kernel: "Linux 6.1", memoryMb: 8000, loadAverage: 0.5,
        version: "0.1.0", commit: nil, compilers: ["Swift 6.3.1", "Clang 21.0.0 (a1b2)"], startedAt: 1_800_000_000)

    static func tally(_ frames: Int, ms: Double, failed: Int = 0) -> Tally {
        var tally = Tally()
        for _ in 0..<frames {
            var outcome = FrameOutcome(.ok, latency: .microseconds(Int(ms * 1000)))
            outcome.stages = [
                ("coordinator.queue", 100), ("detect.decode", 1000), ("detect.infer", 3000),
                ("detect.postprocess", 200),
                ("detect.network", 300), ("coordinator.fan_out", 4510), ("coordinator.merge", 100), ("total", 4710),
            ]
            outcome.client = ClientTimes(send: .microseconds(20), wait: .microseconds(5000), receive: .microseconds(30))
            tally.record(outcome)
            tally.countSent()
        }
        for _ in 0..<failed { tally.record(FrameOutcome(.failed(cause: "<no> node"), latency: .zero)) }
        return tally
    }

    /// - Parameter rates: frames of each window of one second.
    static func point(_ load: LoadDescription, _ rates: [Int], ms: Double = 10, failed: Int = 0) -> BenchPoint {
        BenchPoint(
            load, windows: rates.map { (tally($0, ms: ms, failed: failed), 1) }, isStable: true, trials: rates.count,
            processes: [
                ProcessRecord(
                    name: "coordinator", pid: 7,
                    usage: [
                        ProcessUsage(cpuSeconds: 1, residentBytes: 0),
                        ProcessUsage(cpuSeconds: 1.5, residentBytes: 10 * 0x1p20),
                    ], frames: UInt64(rates.reduce(0, +)))
            ])
    }

    static func result(_ points: [BenchPoint], pipeline: String = "detect") -> BenchResult {
        var result = BenchResult(
            mode: "mesh", target: "127.0.0.1:8500", pipeline: pipeline, inputs: 1, inputBytes: 1000,
            environment: environment, configuration: ["window": "1"])
        result.points = points
        return result
    }
}
