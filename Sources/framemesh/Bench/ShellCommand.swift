import Bench
import Foundation
import Synchronization

/// A command of a shell, for as long as a measurement lasts.
enum ShellCommand {
    private static let shell = "/bin/sh"

    /// Runs it until it ends. When no more shall be sent or the task is cancelled, it is told to end, and
    /// so are all of its process group; nobody waits until they have.
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
        let ending = await withTaskGroup(of: ChildEnding?.self) { tasks in
            tasks.addTask { await endings.first { _ in true } }
            tasks.addTask {
                await stop.waitUntilUp()
                return nil
            }
            defer { tasks.cancelAll() }
            return await tasks.next() ?? nil
        }
        guard var ending else {
            child.signalGroup(SIGTERM)
            return "it still ran at the end, and was told to end"
        }
        if ending.how == .code(0) {
            return "done after \(Figure.text((ContinuousClock.now - start) / .seconds(1), decimals: 1)) s"
        }
        ending.error = ending.error ?? lastLine.withLock { $0 }
        return "\(ending)"
    }
}
