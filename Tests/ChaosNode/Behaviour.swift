import Synchronization

/// How a node works just now. Lines on standard input change it.
final class Behaviour: Sendable {
    private struct State {
        var seconds: Double
        var errorShare = 0.0
    }

    private let state: Mutex<State>

    /// - Parameter seconds: of one forward pass.
    init(seconds: Double) { state = Mutex(State(seconds: seconds)) }

    var seconds: Double { state.withLock { $0.seconds } }

    func failsNow() -> Bool { Double.random(in: 0..<1) < state.withLock { $0.errorShare } }

    /// `delay MILLISECONDS` or `errors SHARE`.
    /// - Returns: whether the line was understood.
    func obey(_ line: String) -> Bool {
        let words = line.split(separator: " ")
        guard words.count == 2, let number = Double(words[1]), number >= 0 else { return false }
        switch words[0] {
        case "delay": state.withLock { $0.seconds = number / 1000 }
        case "errors": state.withLock { $0.errorShare = number }
        default: return false
        }
        return true
    }
}
