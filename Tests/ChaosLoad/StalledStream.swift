import Logging
import Mesh
import Messages
import NIOCore
import NIOPosix
import RPC
import Services

/// A stream that sends at its pace and, after some answers, reads no more until the load stops.
///
/// `FrameStream` always reads; who does harm does not.
struct StalledStream: Sendable {
    let target: Target
    let plan: Plan
    let pace: Pace
    let recorder: Recorder
    /// Answers that are read at once.
    let stallAfter: Int

    /// Of flow control, bytes: some tens of answers fill it, and then the coordinator cannot get rid of more.
    private static let window = 4096

    private var name: String { plan.name(of: 0) }

    func run(until stop: Stop) async {
        var configuration = ChannelConfiguration()
        configuration.client.initialStreamWindowBytes = Self.window
        let channel = BalancedChannel(
            target: target, healthService: ServiceName.vision, configuration: configuration,
            group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "load") { _ in SwiftLogNoOpLogHandler() })
        let frames = SentFrames()
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await channel.run() }
            do {
                let call = AnalyzeStreamClient(try await channel.open(MethodPath.analyzeStream))
                tasks.addTask { await send(call, frames, until: stop) }
                try await receive(call, frames, until: stop)
                recorder.ended(name, frames, nil)
            } catch {
                recorder.ended(name, frames, error)
            }
            stop.come()
            channel.close()
            tasks.cancelAll()
        }
        recorder.sent(name, frames.next)
    }

    private func send(_ call: AnalyzeStreamClient, _ frames: SentFrames, until stop: Stop) async {
        while let planned = await pace.turn(frames.next, until: stop) {
            let (request, truth) = plan.request(stream: 0, frames.next)
            frames.add(Sent(planned: planned, truth: truth))
            // The receiver learns why.
            do { try await call.send(request) } catch { return }
        }
        call.finishSending()
    }

    private func receive(_ call: AnalyzeStreamClient, _ frames: SentFrames, until stop: Stop) async throws {
        var answers = 0
        for try await response in call.answers {
            recorder.answered(name, response, frames, object: nil)
            answers += 1
            if answers == stallAfter {
                while !stop.hasCome { try await Task.sleep(for: .milliseconds(100)) }
            }
        }
    }
}
