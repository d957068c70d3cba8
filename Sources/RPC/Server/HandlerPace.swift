import NIOCore
import Synchronization

/// How long the handlers of one method hold the thread that starts them, before they first wait for something.
///
/// Handlers that hold it shortly are started on the event loop, which spares two changes of threads per call. Those that
/// compute or block would keep all calls of the loop waiting, so a method whose handlers take `longest` on average is
/// started in Swift's pool. The average is over about `span` calls, so that one that was only interrupted does not count
/// for much, and one that blocks for a second counts at once.
///
/// A slow start says little of what follows (a cache was cold, the machine was busy): now and then one handler of such a
/// method is started on the loop again, and if it is short the method is back. The wait until then is `firstWait`, and
/// twice as long each time that the method proves slow, up to `longestWait`.
struct HandlerPace: ~Copyable {
    static let longest = TimeAmount.microseconds(100)
    static let firstWait = TimeAmount.seconds(5)
    static let longestWait = TimeAmount.minutes(10)
    private static let span: Int64 = 256

    /// Nanoseconds. Several loops change these without regard for each other: they are estimates.
    private let average = Atomic<Int64>(0)
    /// Of a method in the pool: when one is tried on the loop.
    private let nextTry = Atomic<UInt64>(0)
    private let wait = Atomic<Int64>(HandlerPace.firstWait.nanoseconds)

    /// Whether the next handler starts on the loop.
    func startsOnLoop(at now: NIODeadline) -> Bool {
        if average.load(ordering: .relaxed) < Self.longest.nanoseconds { return true }
        let time = nextTry.load(ordering: .relaxed)
        guard now.uptimeNanoseconds >= time else { return false }
        // One of them; the others wait for what it says.
        let next = now + .nanoseconds(wait.load(ordering: .relaxed))
        return nextTry.compareExchange(expected: time, desired: next.uptimeNanoseconds, ordering: .relaxed).exchanged
    }

    /// One that was started on the loop has held it for `time`, until `now`.
    func started(in time: TimeAmount, at now: NIODeadline) {
        let old = average.load(ordering: .relaxed)
        let longest = Self.longest.nanoseconds
        if old < longest {
            let new = old + (time.nanoseconds - old) / Self.span
            average.store(new, ordering: .relaxed)
            if new >= longest { waitLonger(from: now) }
        } else if time < Self.longest {
            average.store(time.nanoseconds, ordering: .relaxed)
        } else {
            waitLonger(from: now)
        }
    }

    private func waitLonger(from now: NIODeadline) {
        let current = wait.load(ordering: .relaxed)
        nextTry.store((now + .nanoseconds(current)).uptimeNanoseconds, ordering: .relaxed)
        wait.store(min(current * 2, Self.longestWait.nanoseconds), ordering: .relaxed)
    }
}
