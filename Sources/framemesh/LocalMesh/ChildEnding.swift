import Foundation

/// How a child process ended.
struct ChildEnding: Sendable, Hashable, CustomStringConvertible {
    enum How: Sendable, Hashable {
        case code(Int32)
        case signal(Int32)
        /// It could not even be started; the system's word.
        case notStarted(String)
    }

    var how: How
    /// nil: there was none.
    var pid: Int32?
    /// The last line with which it explained itself, without the program's name.
    var error: String?

    /// For example `(pid 4711) was killed by signal 9 (Killed)`.
    var description: String {
        let who = pid.map { "(pid \($0)) " } ?? ""
        let what =
            switch how {
            case .code(let code): "ended with code \(code)"
            case .signal(let signal): "was killed by signal \(signal) (\(Self.name(of: signal)))"
            case .notStarted(let reason): "could not be started: \(reason)"
            }
        return who + what + (error.map { ": \($0)" } ?? "")
    }

    private static func name(of signal: Int32) -> String {
        unsafe strsignal(signal).map { unsafe String(cString: $0) } ?? "unknown"
    }
}
