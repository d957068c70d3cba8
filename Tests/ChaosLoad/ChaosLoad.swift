import ArgumentParser
import ChaosFrame
import Foundation
import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services
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
    @Option(help: "Frames a second of each stream.") var streamRate = 10.0
    @Option(help: "Unary calls a second.") var unaryRate = 0.0
    @Option(help: "Channels with connections of their own.") var channels = 1
    @Option var pipeline = "detect"
    @Option(help: "lossless, latest or deadline.") var policy = "lossless"
    @Option(help: "Milliseconds of a frame.") var deadline: UInt32 = 10_000
    @Option(help: "Pixels of a picture's side.") var side = 16
    @Option var seed: UInt64 = 1
    @Option(help: "NUMBER:crash or NUMBER:hang, in the first stream, or in the unary calls if there is none.") var mark:
        [String] = []
    @Option(help: "Answers after which the first stream reads no more.") var stallAfter: Int?

    func run() async throws {
        let target = try Target(parsing: coordinators)
        let plan = try plan()
        let recorder = Recorder()
        let group = MultiThreadedEventLoopGroup.singleton
        var logger = Logger(label: "load", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        var calling = ChannelConfiguration()
        // A coordinator has tried what can be tried; what goes elsewhere is only what a lost connection took along.
        calling.maxAttempts = 1
        let channels = (0..<max(1, channels)).map { [logger, calling] _ in
            BalancedChannel(
                target: target, healthService: ServiceName.vision, configuration: calling, group: group, logger: logger)
        }
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        await withTaskGroup(of: Void.self) { tasks in
            for channel in channels { tasks.addTask { await channel.run() } }
            for channel in channels { try? await channel.waitUntilReady(timeout: .seconds(10)) }
            print(#"{"start":\#(NIODeadline.now().uptimeNanoseconds)}"#)
            fflush(nil)
            let stop = Stop(at: .now() + .nanoseconds(Int64(seconds * 1e9)))
            tasks.addTask {
                for await _ in signals { stop.come() }
            }
            await send(plan, on: channels, recorder, until: stop)
            tasks.cancelAll()
        }
        recorder.flush()
    }

    private func send(_ plan: Plan, on channels: [BalancedChannel], _ recorder: Recorder, until stop: Stop) async {
        let start = NIODeadline.now()
        await withDiscardingTaskGroup { loads in
            if unaryRate > 0 {
                let pace = Pace(start: start, interval: .nanoseconds(Int64(1e9 / unaryRate)))
                loads.addTask {
                    await UnaryLoad(channels: channels, plan: plan, pace: pace, recorder: recorder).run(until: stop)
                }
            }
            for index in 0..<streams {
                let interval = TimeAmount.nanoseconds(Int64(1e9 / streamRate))
                // Not all at once.
                let offset = TimeAmount.nanoseconds(interval.nanoseconds * Int64(index) / Int64(streams))
                let load = StreamLoad(
                    index: index, channel: channels[index % channels.count], plan: plan,
                    pace: Pace(start: start + offset, interval: interval), recorder: recorder,
                    stallAfter: index == 0 ? stallAfter : nil)
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
            markedStream: streams > 0 ? 0 : nil, marked: marked)
    }
}
