import ArgumentParser
import ChaosFrame
import Client
import Foundation
import Mesh
import Messages
import NIOCore
import UnixSignals

/// The load of benchmarks/chaos: streams and unary calls at a pace, and what became of each frame.
@main
struct ChaosLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos-load", abstract: "Sends pictures whose truth is known to coordinators.",
        discussion: "One JSON object a line: each frame's end, and how many were sent. SIGTERM ends the sending.")

    @Option(help: "The coordinators.") var coordinators: String
    @Option var seconds: Double
    @Option var streams = 0
    @Option(help: "The last so many of the streams are tracked.") var tracked = 0
    @Option(help: "Frames a second of each stream.") var streamRate = 10.0
    @Option(help: "Unary calls a second.") var unaryRate = 0.0
    @Option(help: "With connections of their own.") var clients = 1
    @Option var pipeline = "detect"
    @Option(help: "lossless, latest or deadline.") var policy = "lossless"
    @Option(help: "Milliseconds of a frame.") var deadline: UInt32 = 10_000
    @Option(help: "Pixels of a picture's side.") var side = 16
    @Option var seed: UInt64 = 1
    @Option(help: "NUMBER:crash or NUMBER:hang, in the first stream, or in the unary calls if there is none.") var mark:
        [String] = []
    @Option(help: "Answers after which the only stream reads no more.") var stallAfter: Int?

    func run() async throws {
        let target = try Target(parsing: coordinators)
        let plan = try plan()
        let recorder = Recorder()
        let clients = try await connect(to: target)
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        await withTaskGroup(of: Void.self) { tasks in
            recorder.begin()
            let stop = Stop(at: .now() + .nanoseconds(Int64(seconds * 1e9)))
            tasks.addTask {
                for await _ in signals { stop.come() }
            }
            if let stallAfter {
                let pace = Pace(start: .now(), rate: streamRate)
                await StalledStream(target: target, plan: plan, pace: pace, recorder: recorder, stallAfter: stallAfter)
                    .run(until: stop)
            } else {
                await send(plan, by: clients, recorder, until: stop)
            }
            tasks.cancelAll()
        }
        for client in clients { client.close() }
    }

    private func connect(to target: Target) async throws -> [MeshClient] {
        try await withThrowingTaskGroup(of: MeshClient.self) { tasks in
            for _ in 0..<max(1, clients) { tasks.addTask { try await MeshClient.connect(to: target) } }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
    }

    private func send(_ plan: Plan, by clients: [MeshClient], _ recorder: Recorder, until stop: Stop) async {
        let start = NIODeadline.now()
        await withDiscardingTaskGroup { loads in
            if unaryRate > 0 {
                let pace = Pace(start: start, rate: unaryRate)
                let load = UnaryLoad(clients: clients, plan: plan, pace: pace, recorder: recorder)
                loads.addTask { await load.run(until: stop) }
            }
            for index in 0..<streams {
                var pace = Pace(start: start, rate: streamRate)
                // Not all at once.
                pace.start = start + .nanoseconds(pace.interval.nanoseconds * Int64(index) / Int64(streams))
                let load = StreamLoad(
                    index: index, client: clients[index % clients.count], plan: plan, pace: pace, recorder: recorder)
                loads.addTask { await load.run(until: stop) }
            }
        }
    }

    private func plan() throws -> Plan {
        let policies = Dictionary(uniqueKeysWithValues: StreamPolicy.allCases.map { ("\($0)", $0) })
        guard let policy = policies[policy] else { throw ValidationError("no policy is called '\(policy)'") }
        guard side >= ChaosPicture.leastSide else { throw ValidationError("a side of \(side) is too small") }
        let orders = Dictionary(uniqueKeysWithValues: ChaosPicture.Order.allCases.map { ("\($0)", $0) })
        var marked: [UInt64: ChaosPicture.Order] = [:]
        for mark in mark {
            let words = mark.split(separator: ":")
            guard words.count == 2, let number = UInt64(words[0]), let order = orders[String(words[1])] else {
                throw ValidationError("'\(mark)' is not NUMBER:crash or NUMBER:hang")
            }
            marked[number] = order
        }
        return Plan(
            pipeline: pipeline, policy: policy, deadline: deadline, side: side, seed: seed,
            firstTracked: streams - tracked, markedStream: streams > 0 ? 0 : nil, marked: marked)
    }
}
