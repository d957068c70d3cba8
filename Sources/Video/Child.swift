import Glibc
import Synchronization

/// The process of a helper: started by the thread that serves it, killed by anyone, waited for by its thread.
///
/// The helper asks the kernel to kill it when the thread that started it ends, so that thread stays until `waitForEnd`
/// has returned.
final class Child: Sendable {
    private enum State {
        case idle
        /// Killed before it was started.
        case unwanted
        case running(pid_t)
        case ended
    }

    private let state = Mutex(State.idle)

    /// The process id while it runs.
    var processID: pid_t? {
        state.withLock { if case .running(let pid) = $0 { pid } else { nil } }
    }

    /// Starts `helper` in a process group of its own (a Ctrl-C at the terminal is its parent's affair), with default
    /// signals, almost no environment and no files but its three pipes.
    func start(_ helper: String, _ arguments: [String]) throws(VideoError) -> ChildPipes {
        let ends = try ChildEnds()
        let pid: pid_t
        do throws(VideoError) {
            pid = try spawn(helper, arguments, ends)
        } catch {
            ends.closeAll()
            throw error
        }
        let pipes = ends.parentSide()
        state.withLock { state in
            if case .unwanted = state { _ = Glibc.kill(-pid, SIGKILL) }
            state = .running(pid)
        }
        return pipes
    }

    /// Ends it at once, or keeps it from being used once it starts.
    func kill() {
        state.withLock { state in
            switch state {
            case .idle: state = .unwanted
            // Its whole group. It is not reaped yet, so the number is still its own.
            case .running(let pid): _ = Glibc.kill(-pid, SIGKILL)
            case .unwanted, .ended: break
            }
        }
    }

    /// Blocks the thread until the process has ended.
    func waitForEnd() -> Ending {
        guard let pid = processID else { return .unknown }
        var about = unsafe siginfo_t()
        // Leaves the zombie, so that `kill` can hit no stranger until the state says so.
        while unsafe waitid(P_PID, id_t(pid), &about, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        return state.withLock { state in
            state = .ended
            var status: Int32 = 0
            return unsafe waitpid(pid, &status, 0) == pid ? Ending(status: status) : .unknown
        }
    }

    private func spawn(_ helper: String, _ arguments: [String], _ ends: ChildEnds) throws(VideoError) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        for (number, end) in ends.childSide.enumerated() {
            unsafe posix_spawn_file_actions_adddup2(&actions, end, Int32(number))
        }

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

        let words = [helper] + arguments
        guard !words.contains(where: { $0.utf8.contains(0) }) else {
            throw VideoError("a file name contains a zero byte")
        }
        var argv = unsafe words.map { unsafe strdup($0) } + [nil]
        var environment = unsafe Self.environment().map { unsafe strdup($0) } + [nil]
        defer { unsafe (argv + environment).forEach { unsafe free($0) } }

        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, helper, &actions, &attributes, &argv, &environment)
        guard code == 0 else {
            throw VideoError("cannot start \(helper): \(SystemError.text(code))", isOfHelper: true)
        }
        return pid
    }

    /// Where its libraries are, where that is not the usual place; nothing else.
    private static func environment() -> [String] {
        guard let path = unsafe getenv("LD_LIBRARY_PATH") else { return [] }
        return ["LD_LIBRARY_PATH=" + (unsafe String(cString: path))]
    }
}
