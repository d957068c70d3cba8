import Synchronization

/// What was there once, and does not hold it.
final class Remains: Sendable {
    private struct Weak: @unchecked Sendable {
        weak var object: AnyObject?
        let name: String
    }
    private let all = Mutex<[Weak]>([])

    func watch(_ object: AnyObject?, _ name: String) {
        let one = Weak(object: object, name: name)
        all.withLock { $0.append(one) }
    }

    var count: Int { all.withLock { $0.count } }

    /// Names and numbers of what is still there.
    var left: [String: Int] {
        all.withLock { all in
            all.reduce(into: [:]) { left, one in if one.object != nil { left[one.name, default: 0] += 1 } }
        }
    }

    /// Ends are told on other threads, so the last reference may go a little later.
    func areGone() async throws -> Bool {
        for _ in 0..<1000 where !left.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        return left.isEmpty
    }
}
