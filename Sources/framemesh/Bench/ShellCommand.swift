import Bench
import Foundation
import Synchronization

/// A command of a shell, for as long as a measurement lasts.
enum ShellCommand {
    static let shell = "/bin/sh"
    /// For those that are told to end; then they are killed.
    static let grace: Duration = .seconds(2)

    private enum Outcome: Sendable {
        case ended(ChildEnding), toldToEnd, killed
    }

    /// Runs it until it ends. When no more shall be sent or the task is cancelled, it is told to end, and so are all of its
    /// process group; if the shell has not within `grace`, they are killed.
    /// - Returns: what became of it: when it was done, or why it failed.
    static func run(_ command: String, until stop: StopSign) async -> String {
        let start = ContinuousClock.now
        let (endings, ended) = AsyncStream<ChildEnding>.makeStream()
        // What went wrong is mostly said last.
        let lastLine = Mutex<String?>(nil)
        let child: ChildProcess
        do {
            child = try ChildProcess(executable: shell, arguments: ["-c", command]) { event in
                switch event {
                case .output: break
                case .log(let line): lastLine.withLock { $0 = line }
                case .ended(let ending):
                    ended.yield(ending)
                    ended.finish()
                }
            }
        } catch {
            return "could not be started: \(error)"
        }
        // A task of its own: one that is cancelled waits for nothing.
        let outcome = await withTaskCancellationHandler {
            await Task { await watch(child, endings, until: stop) }.value
        } onCancel: {
            stop.raise()
        }
        switch outcome {
        case .ended(let ending) where ending.how == .code(0):
            return "done after \(Figure.text((ContinuousClock.now - start) / .seconds(1), decimals: 1)) s"
        case .ended(var ending):
            ending.error = ending.error ?? lastLine.withLock { $0 }
            return "\(ending)"
        case .toldToEnd: return "it still ran at the end, and was told to end"
        case .killed:
            let seconds = Figure.text(grace / .seconds(1), decimals: 1)
            return "it still ran at the end and \(seconds) s after it was told to end, and was killed"
        }
    }

    private static func watch(
        _ child: ChildProcess, _ endings: AsyncStream<ChildEnding>, until stop: StopSign
    ) async -> Outcome {
        await withTaskGroup(of: ChildEnding?.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { await endings.first { _ in true } }
            tasks.addTask {
                await stop.waitUntilUp()
                return nil
            }
            if let ending = await tasks.next() ?? nil { return .ended(ending) }
            child.signalGroup(SIGTERM)
            tasks.addTask {
                try? await Task.sleep(for: grace)
                return nil
            }
            if await tasks.next() ?? nil != nil { return .toldToEnd }
            child.signalGroup(SIGKILL)
            return .killed
        }
    }
}
