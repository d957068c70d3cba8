import Synchronization

/// Places for viewers, of the whole gateway.
package final class ViewerPlaces: Sendable {
    package let limit: Int
    private let taken = Mutex(0)
    private let tooSlow = Atomic(0)

    package init(_ limit: Int) { self.limit = limit }

    package var count: Int { taken.withLock { $0 } }
    /// Viewers that were too slow, so far.
    package var dropped: Int { tooSlow.load(ordering: .relaxed) }

    /// - Returns: false if there is none.
    func take() -> Bool {
        taken.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
    }

    func giveBack() { taken.withLock { $0 -= 1 } }

    func drop(_ count: Int) { tooSlow.wrappingAdd(count, ordering: .relaxed) }
}
