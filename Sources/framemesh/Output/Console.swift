import Glibc
import Results
import Synchronization

extension Fatal {
    /// Standard output closed under us (`| head`): nobody reads on, so there is nothing to say.
    static let outputClosed = Fatal(nil, status: .interrupted(by: SIGPIPE))

    /// Standard output took no more.
    fileprivate static func outputFailed(_ code: Int32) -> Fatal {
        guard code != EPIPE else { return outputClosed }
        return Fatal("cannot write to standard output: \(unsafe String(cString: strerror(code)))")
    }
}

/// Lines to standard output, and one line that changes on a terminal's standard error.
final class Console: Sendable {
    /// Between two redraws of the progress line.
    static let redrawInterval: Duration = .milliseconds(100)

    /// Progress is drawn: standard error is a terminal, and it was not turned off.
    let showsProgress: Bool
    /// Standard output is a terminal.
    var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    private let state = Mutex(State())

    private struct State {
        var drawn = false
        var lastDraw: ContinuousClock.Instant?
    }

    init(showsProgress: Bool = isatty(STDERR_FILENO) == 1) {
        self.showsProgress = showsProgress
    }

    /// One line to standard output, written at once.
    /// - Throws: `Fatal.outputClosed`, or one that says why it could not be written.
    func print(_ line: String) throws {
        try state.withLock { state in
            Self.clear(&state)
            if let code = Self.write(line + "\n", to: STDOUT_FILENO) { throw Fatal.outputFailed(code) }
        }
    }

    /// One line to standard error, for people.
    func note(_ line: String) {
        state.withLock { state in
            Self.clear(&state)
            _ = Self.write(line + "\n", to: STDERR_FILENO)
        }
    }

    /// A stream has lost its coordinator, and looks for one.
    @Sendable func noteResumed(_ reason: String, _ again: Int) {
        let frames = again == 1 ? "1 frame is" : "\(again) frames are"
        note("the coordinator was lost (\(reason.onOneLine)); \(frames) sent again to the next that is ready")
    }

    /// A source is lost, and called again.
    @Sendable func noteLost(_ reason: String, _ wait: Duration) {
        let seconds = JSONText.number(wait / .seconds(1), decimals: wait < .milliseconds(100) ? 3 : 1)
        note("\(reason.onOneLine); it is called again in \(seconds) s")
    }

    /// Draws what `line` gives, at most every `redrawInterval`.
    func progress(at now: ContinuousClock.Instant = .now, _ line: () -> String) {
        guard showsProgress else { return }
        state.withLock { state in
            if let last = state.lastDraw, now - last < Self.redrawInterval { return }
            state.lastDraw = now
            state.drawn = true
            // Carriage return, the line, and what the last one left of itself is erased.
            _ = Self.write("\r\(line())\u{1B}[K", to: STDERR_FILENO)
        }
    }

    /// Takes the progress line away.
    func clearProgress() { state.withLock { Self.clear(&$0) } }

    private static func clear(_ state: inout State) {
        guard state.drawn else { return }
        state.drawn = false
        _ = write("\r\u{1B}[K", to: STDERR_FILENO)
    }

    /// All of it, past interruptions.
    /// - Returns: the error that ended it; nil: it was written.
    static func write(_ text: String, to descriptor: Int32) -> Int32? {
        var text = text
        return text.withUTF8 { bytes in
            var rest = unsafe UnsafeRawBufferPointer(bytes)[...]
            while unsafe !rest.isEmpty {
                let count = unsafe Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count > 0 {
                    unsafe rest = rest.dropFirst(count)
                } else if count < 0, errno == EAGAIN {
                    // Someone made the terminal or pipe non-blocking.
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = unsafe poll(&wait, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return count == 0 ? EIO : errno
                }
            }
            return nil
        }
    }
}
