import Synchronization

/// Numbers the frames of one stream.
final class SequenceCounter: Sendable {
    private let value: Mutex<UInt64>

    init(_ first: UInt64) { value = Mutex(first) }

    func next() -> UInt64 {
        value.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
