import NIOCore
import Synchronization

/// How long the handlers of one method hold the thread that starts them, before they first wait for something.
///
/// Handlers that hold it shortly are started on the event loop, which spares two changes of threads per call. Those that
/// compute or block would keep all calls of the loop waiting, so a method whose handlers take `longest` on average is
/// started in Swift's pool, from then on. The average is over about `span` calls, so that one that was only interrupted
/// does not count for much, and one that blocks for a second counts at once.
struct HandlerPace: ~Copyable {
    static let longest = TimeAmount.microseconds(100)
    private static let span: Int64 = 256

    /// Nanoseconds. Several loops change it without regard for each other: it is an estimate.
    private let average = Atomic<Int64>(0)

    var startsOnLoop: Bool { average.load(ordering: .relaxed) < Self.longest.nanoseconds }

    func started(in time: TimeAmount) {
        let old = average.load(ordering: .relaxed)
        let new = old + (time.nanoseconds - old) / Self.span
        // Once in the pool, no more is measured.
        if old < Self.longest.nanoseconds { average.store(new, ordering: .relaxed) }
    }
}
