import ArgumentParser
import Foundation
import Synchronization
import Threads

/// Ends this process when its parent ends, in whichever way: standard input is a pipe that the parent holds open and
/// never writes to, so its end is the parent's end.
struct ParentWatch: ParsableArguments {
    @Flag(name: .customLong("exit-with-parent"), help: .hidden)
    var isOn = false

    /// From the parent's end to ours, at most.
    static let grace: TimeInterval = 3

    /// - Throws: `ThreadError`.
    func start() throws {
        guard isOn else { return }
        try OwnThread.start("parent") {
            while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
            // The usual way to end, with its drain.
            kill(getpid(), SIGTERM)
            Thread.sleep(forTimeInterval: Self.grace)
            _exit(ExitStatus.interrupted(by: SIGTERM).rawValue)
        }
    }
}
