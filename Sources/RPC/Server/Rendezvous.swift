import Synchronization

/// A handler that was started on the loop, and the loop: who comes second sees to the answer.
struct Rendezvous: ~Copyable {
    private let isSecond = Atomic(false)

    /// - Returns: the other one was here before.
    func arrive() -> Bool { isSecond.exchange(true, ordering: .acquiringAndReleasing) }
}
