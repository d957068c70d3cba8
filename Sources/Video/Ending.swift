import Glibc

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

    /// Without a last word. False: what it was at is what it died of (SIGSEGV, SIGXCPU and their like). True: that has
    /// nothing to do with it.
    var isOfHelper: Bool {
        switch self {
        // Killed by somebody: a service manager, the kernel that is out of memory.
        case .killed(let signal): [SIGKILL, SIGTERM, SIGINT, SIGHUP].contains(signal)
        case .exited(let code): code == Self.wrongArguments || code == Self.missingLibrary
        case .unknown: true
        }
    }

    /// As a helper of another version says it.
    private static let wrongArguments: Int32 = 2
    /// As the dynamic linker says it.
    private static let missingLibrary: Int32 = 127

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

    /// - Parameters: as for `sentence`.
    func error(while doing: String, said: String) -> VideoError {
        VideoError(sentence(while: doing, said: said), isOfHelper: isOfHelper)
    }
}
