import Messages
import Synchronization

/// Counts the calls that come.
final class Counter: Sendable {
    private let calls = Mutex(0)
    var count: Int { calls.withLock { $0 } }
    func node(_ node: ScriptedNode = ScriptedNode()) -> ScriptedNode {
        var node = node
        node.onCall = { [self] _ in calls.withLock { $0 += 1 } }
        return node
    }
}

extension AnalyzeResponse {
    /// That took time.
    var stages: Set<String> { Set(timing.map(\.stage)) }
}
