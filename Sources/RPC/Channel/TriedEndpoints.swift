import Synchronization

/// Where the attempts of one hedged call went; they look for their endpoints at the same time.
final class TriedEndpoints: Sendable {
    private let state = Mutex<Set<String>>([])
    var names: Set<String> { state.withLock { $0 } }
    func insert(_ name: String) { state.withLock { _ = $0.insert(name) } }
}
