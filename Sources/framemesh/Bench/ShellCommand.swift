import Bench
import Foundation
import Synchronization

/// A command of a shell, for as long as a measurement lasts.
enum ShellCommand {
    static let shell = "/bin/sh"
    /// For those that are told to end; then they are killed.
    static let grace: Duration = .seconds(2)

    /// What became of one.
    struct End: Sendable {
        /// When it was done, or why it failed.
        var text: String
        var hasFailed = false
        /// 128 and the number of the signal, where one ended it; nil: it did not end by itself.
        var exitCode: Int32?
    }

    private enum Outcome: Sendable {
        case ended(ChildEnding), toldToEnd, killed
    }

    /// Runs it until it ends. When no more shall be sent or the task is cancelled, it is told to end, and so are all of its
    /// process group; if the shell has not within `grace`, they are killed.
    static func run(_ command: String, until stop: StopSign) async -> End {
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
            return End(text: "could not be started: \(error)", hasFailed: true)
        }
        // A task of its own: one that is cancelled waits for nothing.
        let outcome = await withTaskCancellationHandler {
            await Task { await watch(child, endings, until: stop) }.value
        } onCancel: {
            stop.raise()
        }
        switch outcome {
        case .ended(let ending) where ending.how == .code(0):
            let seconds = Figure.text((ContinuousClock.now - start) / .seconds(1), decimals: 1)
            return End(text: "done after \(seconds) s", exitCode: 0)
        case .ended(var ending):
            ending.error = ending.error ?? lastLine.withLock { $0 }
            return End(text: "\(ending)", hasFailed: true, exitCode: ending.exitCode)
        case .toldToEnd: return End(text: "it still ran at the end, and was told to end")
        case .killed:
            let seconds = Figure.text(grace / .seconds(1), decimals: 1)
            return End(text: "it still ran at the end and \(seconds) s after it was told to end, and was killed")
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

extension ChildEnding {
    /// As shells tell it; nil: it was not started.
    fileprivate var exitCode: Int32? {
        switch how {
        case .code(let code): code
        case .signal(let signal): ExitStatus.interrupted(by: signal).rawValue
        case .notStarted: nil
        }
    }
}
