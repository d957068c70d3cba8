/// How a child ended.
enum Ending: Sendable, Equatable {
    case exited(Int32)
    case killed(signal: Int32)
    /// Somebody else has taken its status.
    case unknown

    /// From `waitpid`.
    init(status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: signal)
    }

    /// One line.
    /// - Parameters:
    ///   - doing: what it was at, e.g. "reading street.mp4 after 12 frames".
    ///   - said: its last words on standard error.
    func sentence(while doing: String, said: String) -> String {
        let end =
            switch self {
            case .exited(let code): "ended with code \(code)"
            case .killed(let signal): "was killed by signal \(signal)"
            case .unknown: "ended"
            }
        return "framemesh-video \(end) while \(doing)" + (said.isEmpty ? "" : ": \(said)")
    }
}
