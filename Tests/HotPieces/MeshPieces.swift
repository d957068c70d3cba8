import Logging
import Messages
import Metrics
import NIOCore
import NIOPosix
import Services
import Telemetry
import Tracking

@testable import Coordination
@testable import Mesh
@testable import RPC

extension Piece {
    static let mesh = [
        walk("tracker-10", 10, turns: 200),
        walk("tracker-100", 100, turns: 50),
        Piece("balancer-pick", turns: 10_000, result: 1) { try Picking(endpoints: 4).turn },
        Piece("merge", turns: 500, result: 15) {
            let frame = AcceptedFrame(
                request: AnalyzeRequest(
                    frame: Frame(stream: "camera-7", payload: .attached(ByteBuffer())), pipeline: "detect+classify"),
                pipeline: Pipeline(
                    name: "detect+classify", stages: [.detect, .classify(.frame, topK: 5)], required: [], text: ""),
                arrival: .now(), deadline: .after(.seconds(3600)), waitsForRoom: false, client: CallOrigin(1))
            let found = response
            var named = ClassifyResponse()
            named.regions = [(0..<5).map { Classification(classID: $0, label: "tabby", confidence: 0.1) }]
            named.timing = found.timing
            return { [named] in
                var merge = Merge(frame, started: frame.arrival)
                merge.add(StageResult(stage: "detect", response: found, elapsed: .milliseconds(9)))
                merge.add(StageResult(stage: "classify", response: named, elapsed: .milliseconds(9)))
                let answer = merge.finish()
                return answer.detections.count + answer.classes.count
            }
        },
        Piece("metrics", turns: 5000, result: 1) {
            let metrics = PrometheusMetrics()
            let counter = Counter(label: "framemesh_frames_total", dimensions: [("status", "ok")], factory: metrics)
            let timer = Timer(label: "framemesh_stage_seconds", dimensions: [("stage", "infer")], factory: metrics)
            return {
                counter.increment()
                timer.recordNanoseconds(9_000_000)
                return 1
            }
        },
    ]

    /// One frame of `count` objects that walk to and fro in step.
    private static func walk(_ name: String, _ count: Int, turns: Int) -> Piece {
        Piece(name, turns: turns, result: count) {
            var tracker = Tracker()
            let frames = walkers(count)
            var number = 0
            return {
                number += 1
                let answer = tracker.update(frames[number % frames.count], at: Int64(number) * 40_000)
                return answer.count { $0.trackID != nil }
            }
        }
    }

    private static func walkers(_ count: Int) -> [[Detection]] {
        let steps = 40
        var dice = Dice()
        let starts = (0..<count).map { index in
            (x: Float(index % 10) * 190, y: Float(index / 10) * 105, speed: Float.random(in: -2...2, using: &dice))
        }
        return (0..<steps).map { step in
            let time = Float(min(step, steps - step))
            return starts.map { start in
                Detection(
                    classID: 0, label: "person", confidence: 0.8,
                    box: Box(x: start.x + start.speed * time, y: start.y, width: 40, height: 80))
            }
        }
    }
}

/// A channel to servers of this process, all of which are ready.
private final class Picking {
    private let channel: BalancedChannel
    private let call: PickLine.Call

    init(endpoints: Int) throws {
        let group = MultiThreadedEventLoopGroup.singleton
        channel = try group.any().makeFutureWithTask { try await Self.channel(to: endpoints, group) }.wait()
        call = PickLine.Call(
            attempt: NextAttempt(path: MethodPath.detect, options: CallOptions(deadline: .after(.seconds(3600)))),
            isStream: false)
    }

    private static func channel(to endpoints: Int, _ group: any EventLoopGroup) async throws -> BalancedChannel {
        let logger = Logger(label: "picking") { _ in SwiftLogNoOpLogHandler() }
        var addresses: [String] = []
        for _ in 0..<endpoints {
            let health = HealthService()
            health.set(.serving)
            let server = try await RPCServer.bind(
                host: "127.0.0.1", port: 0, services: [health], group: group, logger: logger)
            addresses.append(server.address.endpointName)
            Task { try await server.run() }
        }
        let channel = BalancedChannel(
            target: try Target(parsing: "static:///" + addresses.joined(separator: ",")), healthService: "",
            group: group, logger: logger)
        Task { await channel.run() }
        // Beside what is counted; benchmarks/micro/run.py ends what takes too long.
        while channel.endpoints().count(where: { $0.state == .ready }) < endpoints {
            try await Task.sleep(for: .milliseconds(5))
        }
        return channel
    }

    /// A call's endpoint, and what its answer says of it.
    func turn() -> Int {
        guard let picked = channel.tryPick(call) else { return 0 }
        let supplied = SuppliedConnection(
            name: picked.name, connection: picked.connection, path: call.attempt.path, generation: picked.generation)
        channel.finished(supplied, latency: 5_000_000, .answered, isStream: false, now: channel.now)
        return 1
    }
}
