import Synchronization

/// A number of places, each of which is one's until it ends.
final class Places: Sendable {
    final class Place: Sendable {
        private let places: Places

        fileprivate init(_ places: Places) { self.places = places }

        deinit { places.taken.withLock { $0 -= 1 } }
    }

    private let count: Int
    private let taken = Mutex(0)

    init(_ count: Int) { self.count = count }

    /// - Returns: nil if all are taken.
    func take() -> Place? {
        let isFree = taken.withLock { taken in
            guard taken < count else { return false }
            taken += 1
            return true
        }
        return isFree ? Place(self) : nil
    }
}
