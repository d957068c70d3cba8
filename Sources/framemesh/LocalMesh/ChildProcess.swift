import Foundation
import Synchronization
import SystemPackage
import Threads

/// A process that was started here: of this program's own executable, or a shell.
///
/// It leads a process group of its own, so that Ctrl-C in a terminal reaches only us and the end keeps its order. Its
/// standard input is a pipe that we hold open: a program of ours ends with us, even if we are killed (`ParentWatch`). A thread reads
/// what it writes, and waits for its end.
final class ChildProcess: Sendable {
    enum Event: Sendable {
        /// A line of standard output.
        case output(String)
        /// A line of standard error, other than its last words.
        case log(String)
        /// Always the last one.
        case ended(ChildEnding)
    }

    let pid: pid_t
    /// Set once the process is reaped: its number may be another's then.
    private let isReaped = Mutex(false)

    static let stackBytes = 256 << 10

    /// - Parameters:
    ///   - stackBytes: of the thread.
    ///   - report: called on the child's thread, in order.
    /// - Throws: `Errno`; `ThreadError`, when the process has ended.
    init(
        executable: String, arguments: [String], stackBytes: Int = ChildProcess.stackBytes,
        report: @Sendable @escaping (ChildProcess.Event) -> Void
    ) throws {
        let input = try Self.pipe()
        let output = try Self.pipe()
        let errors = try Self.pipe()
        // What is the child's is closed here once it has it.
        defer { for end in [input.readEnd, output.writeEnd, errors.writeEnd] { try? end.close() } }
        do {
            pid = try Self.spawn(
                executable, arguments,
                descriptors: [input.readEnd.rawValue, output.writeEnd.rawValue, errors.writeEnd.rawValue])
        } catch {
            for end in [input.writeEnd, output.readEnd, errors.readEnd] { try? end.close() }
            throw error
        }
        do throws(ThreadError) {
            try OwnThread.start("child", stackBytes: stackBytes) { [self] in
                let error = Self.read(output: output.readEnd, errors: errors.readEnd, report)
                var ending = reap()
                ending.error = error
                for end in [input.writeEnd, output.readEnd, errors.readEnd] { try? end.close() }
                report(.ended(ending))
            }
        } catch {
            signalGroup(SIGKILL)
            _ = reap()
            for end in [input.writeEnd, output.readEnd, errors.readEnd] { try? end.close() }
            throw error
        }
    }

    /// Sends a signal, unless the process is gone.
    func signal(_ number: Int32) {
        isReaped.withLock { gone in
            if !gone { _ = kill(pid, number) }
        }
    }

    /// Sends a signal to all of its group, unless the process itself is gone.
    func signalGroup(_ number: Int32) {
        isReaped.withLock { gone in
            if !gone { _ = kill(-pid, number) }
        }
    }

    private static func pipe() throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        // Closed in every child but the one that it is duplicated for.
        let (readEnd, writeEnd) = try FileDescriptor.pipe(options: .closeOnExec)
        do {
            let above = try aboveStandard(readEnd)
            do {
                return (above, try aboveStandard(writeEnd))
            } catch {
                try? above.close()
                throw error
            }
        } catch {
            try? writeEnd.close()
            throw error
        }
    }

    /// The same end under a number above 2. Where we were started without standard files, a new pipe takes their
    /// numbers, and the child's own would be laid over it before it is duplicated.
    private static func aboveStandard(_ end: FileDescriptor) throws -> FileDescriptor {
        guard end.rawValue <= STDERR_FILENO else { return end }
        let above = fcntl(end.rawValue, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let failure = Errno(rawValue: errno)
        try? end.close()
        guard above >= 0 else { throw failure }
        return FileDescriptor(rawValue: above)
    }

    /// What a child says before it ends for a reason of its own (`Framemesh.say`).
    private static let lastWords = "framemesh: "

    /// Reads both pipes until the child has closed them, and returns its last words.
    private static func read(
        output: FileDescriptor, errors: FileDescriptor, _ report: (ChildProcess.Event) -> Void
    ) -> String? {
        var open = [output, errors]
        var splitters = [output: LineSplitter(), errors: LineSplitter()]
        var words: String?
        func take(_ line: String, of pipe: FileDescriptor) {
            if pipe == output {
                report(.output(line))
            } else if line.hasPrefix(lastWords) {
                words = String(line.dropFirst(lastWords.count))
            } else {
                report(.log(line))
            }
        }
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while !open.isEmpty {
            var polled = open.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&polled, nfds_t(polled.count), -1) > 0 || errno == EINTR else { break }
            for (pipe, state) in zip(open, polled) where state.revents != 0 {
                let count = unsafe (try? buffer.withUnsafeMutableBytes { try unsafe pipe.read(into: $0) }) ?? 0
                if count > 0 {
                    for line in splitters[pipe]?.take(buffer[..<count]) ?? [] { take(line, of: pipe) }
                } else {
                    if let line = splitters[pipe]?.finish() { take(line, of: pipe) }
                    open.removeAll { $0 == pipe }
                }
            }
        }
        return words
    }

    /// Waits for the end.
    private func reap() -> ChildEnding {
        var information = unsafe siginfo_t()
        // Leaves the process its number until nobody can signal it any more.
        while unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        var status: Int32 = 0
        isReaped.withLock { gone in
            while unsafe waitpid(pid, &status, 0) < 0, errno == EINTR {}
            gone = true
        }
        let signal = status & 0x7F
        return ChildEnding(how: signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal), pid: pid)
    }

    /// Starts a program with the given descriptors as 0, 1 and 2, no others, and signals as a fresh process has them.
    private static func spawn(_ executable: String, _ arguments: [String], descriptors: [Int32]) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in descriptors.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var words = unsafe ([executable] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, executable, &actions, &attributes, &words, environ)
        guard code == 0 else { throw Errno(rawValue: code) }
        return pid
    }
}
