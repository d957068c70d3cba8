import Areas
import Jobs
import Synchronization

/// How far areas were watched for webhooks, so that all results before need not be gone through again at each turn.
final class WatchShelf: Sendable {
    struct Key: Hashable, Sendable {
        var job: JobID
        var number: Int64
    }

    struct Watch: Sendable {
        /// As the job had them.
        var areas: String
        /// Frames that were seen.
        var frames: Int64
        var watch: AreaWatch
    }

    /// Those beyond are worked out anew.
    private let size: Int
    private let watches = Mutex<[Key: Watch]>([:])

    init(size: Int) { self.size = size }

    func take(_ key: Key) -> Watch? { watches.withLock { $0.removeValue(forKey: key) } }

    func put(_ watch: Watch, _ key: Key) {
        watches.withLock { watches in
            if watches.count >= size, let any = watches.keys.first { watches[any] = nil }
            watches[key] = watch
        }
    }
}
