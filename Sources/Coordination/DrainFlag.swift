import Synchronization

/// Whether a coordinator has begun to drain. Streams ask it before they accept a frame.
final class DrainFlag: Sendable {
    private let begun = Atomic(false)

    var hasBegun: Bool { begun.load(ordering: .acquiring) }
    func begin() { begun.store(true, ordering: .releasing) }
}
