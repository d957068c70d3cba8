/// A result as perf_analyzer writes it: its columns, latencies in microseconds. More columns follow behind those.
package enum CSVReport {
    package static func text(_ result: BenchResult) -> String {
        let isRate = result.points.contains { $0.load.isPlanned }
        let head =
            [
                isRate ? "Request Rate" : "Concurrency", "Inferences/Second", "Client Send",
                "Network+Server Send/Recv", "Server Queue", "Server Compute Input", "Server Compute Infer",
                "Server Compute Output", "Client Recv", "p50 latency", "p90 latency", "p95 latency", "p99 latency",
                "Avg latency", "p99.9 latency", "Std latency", "Stable", "Failed", "Refused", "Dropped", "Out of order",
                "Partial", "Times the capacity", "Load",
            ]
        return ([head] + result.points.map { row($0, isRate: isRate) }).map { $0.joined(separator: ",") + "\n" }
            .joined()
    }

    private static func row(_ point: BenchPoint, isRate: Bool) -> [String] {
        let server = point.serverMs ?? ServerSplit()
        let client = point.clientMs ?? ClientSplit()
        let input = server.decode + server.preprocess
        let output = server.postprocess + (server.merge ?? 0) + server.track
        let compute = server.queue + input + server.infer + output
        // What all else leaves of the mean, so that the parts add up to it. Stages that ran at once are counted twice; then the
        // parts are more.
        let network = max(0, point.latencyMs.mean - client.send - client.receive - compute)
        let latency = point.latencyMs
        // Without an answer there is none.
        func us(_ milliseconds: Double) -> String { point.answered > 0 ? Self.us(milliseconds) : "" }
        // Beside rates, that of a closed loop is what it reached.
        let number = isRate ? point.load.framesPerSecond ?? point.framesPerSecond : Double(point.load.callers)
        return [
            Figure.number(number), Figure.number(point.framesPerSecond),
            us(client.send), us(network), us(server.queue), us(input), us(server.infer), us(output), us(client.receive),
            us(latency.p50), us(latency.p90), us(latency.p95), us(latency.p99), us(latency.mean),
            us(latency.p999), us(latency.sd), point.isStable ? "1" : "0",
            "\(point.failed)", "\(point.refused)", "\(point.dropped)", "\(point.outOfOrderAtAll)",
            "\(point.partial)", point.load.factor.map(Figure.number) ?? "", "\"\(point.load.text)\"",
        ]
    }

    /// Microseconds of milliseconds, whole as perf_analyzer has them.
    private static func us(_ milliseconds: Double) -> String { Figure.text(milliseconds * 1000, decimals: 0) }
}
