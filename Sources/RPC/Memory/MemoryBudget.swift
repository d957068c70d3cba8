import NIOCore
import Synchronization

/// Bytes of messages in flight in this process; receivers reserve before the first byte has its place.
///
/// First come first served: while a large message waits, smaller ones behind it wait too; but who has filled the share
/// of its peer (`MemoryShare`) holds up nobody else. A reservation ends when the received `Payload` is let go; for a
/// unary call, when its handler has returned. Nothing is reserved for a request that a handler on the loop has where it
/// was read: each loop has one at a time. Messages below `smallestReservation` are held by the windows of their streams
/// alone while their consumer takes them. Those that wait for it are counted, but for the first few of each stream
/// (`QueuedShare`); where too many wait, or too many of their address, streams are held back, and what comes then
/// counts as who waits.
///
/// Who waits, for memory or for its turn, has a window of its bytes here already, or a few where its window was a wider
/// one. These windows have a budget of the same
/// size, at least `smallestWindowLimit`: beyond it, or beyond the share of its address, a message is refused where it would
/// wait.
public final class MemoryBudget: Sendable {
    /// With what is not counted here (windows, receive buffers, memory that waits to be used again), a process that is full
    /// of messages stays below 256 MB, and below twice that with as many that wait. Small messages that wait for
    /// their consumers may have half as much again.
    public static let defaultLimit = 192 << 20
    public static let shared = MemoryBudget(limit: defaultLimit)
    static let smallestReservation = 16 << 10
    /// However little memory there is for messages, some windows of 256 KiB may wait for it.
    public static let smallestWindowLimit = 32 << 20

    /// Memory reserved for one message; given back when the last reference goes.
    final class Lease: Sendable {
        private let budget: MemoryBudget
        private let share: MemoryShare?
        let bytes: Int

        fileprivate init(budget: MemoryBudget, bytes: Int, share: MemoryShare?) {
            self.budget = budget
            self.bytes = bytes
            self.share = share
        }

        deinit { budget.release(bytes, of: share) }
    }

    private let ledger: Mutex<MemoryLedger>
    /// Windows of those that wait.
    private let windows: Places
    /// Small messages that wait for their consumers.
    private let queues: Places

    public init(limit: Int) {
        ledger = Mutex(MemoryLedger(limit: limit))
        windows = Places(limit: Self.windowLimit(limit))
        queues = Places(limit: Self.queueLimit(limit))
    }

    private static func windowLimit(_ limit: Int) -> Int { max(limit, smallestWindowLimit) }

    /// A stream that fills its window has a quarter of it in its queue, and the rest held back: where all do, windows
    /// are used up first.
    private static func queueLimit(_ limit: Int) -> Int { windowLimit(limit) / 2 }

    /// To be changed before messages come: one that waits for room already may wait for ever for what is less.
    public var limit: Int {
        get { ledger.withLock { $0.limit } }
        set {
            ledger.withLock { $0.limit = newValue }
            windows.limit = Self.windowLimit(newValue)
            queues.limit = Self.queueLimit(newValue)
        }
    }

    /// Memory for which nobody waits: there is some now, or there is none.
    fileprivate final class Places: Sendable {
        private let ledger: Mutex<MemoryLedger>

        init(limit: Int) { ledger = Mutex(MemoryLedger(limit: limit)) }

        var limit: Int {
            get { ledger.withLock { $0.limit } }
            set { ledger.withLock { $0.limit = newValue } }
        }

        var used: Int { ledger.withLock { $0.used } }

        func hold(_ bytes: Int, in share: MemoryShare?) -> Window? {
            let isHeld = ledger.withLock { $0.reserve(bytes, in: share) }
            return isHeld ? Window(places: self, bytes: bytes, share: share) : nil
        }

        func release(_ bytes: Int, of share: MemoryShare?) { ledger.withLock { _ = $0.release(bytes, of: share) } }
    }

    /// What waits; given back when the last reference goes.
    final class Window: Sendable {
        private let places: Places
        private let share: MemoryShare?
        private let bytes: Int

        fileprivate init(places: Places, bytes: Int, share: MemoryShare?) {
            self.places = places
            self.bytes = bytes
            self.share = share
        }

        deinit { places.release(bytes, of: share) }
    }

    /// nil: too much waits. Windows larger than half of `smallestWindowLimit` count as that, or none of them could ever wait.
    func holdWindow(_ window: Int, in share: MemoryShare?) -> Window? {
        let share = share.map { $0.with(limit: max($0.limit, Self.smallestWindowLimit / 2)) }
        return windows.hold(min(window, Self.smallestWindowLimit / 2), in: share)
    }

    /// For small messages that wait for their consumer. nil: too many do.
    func holdQueued(_ bytes: Int, in share: MemoryShare?) -> Window? {
        queues.hold(bytes, in: share.map { $0.with(limit: max($0.limit, Self.smallestWindowLimit / 2) / 2) })
    }

    /// Of those that wait.
    public var waitingBytes: Int { windows.used }

    /// Of small messages that wait for their consumers.
    var queuedBytes: Int { queues.used }

    public var used: Int { ledger.withLock { $0.used } }

    /// A quarter is used at most.
    var hasPlenty: Bool { ledger.withLock { $0.used <= $0.limit / 4 } }

    /// nil: there is no room, or others wait already.
    func reserve(_ bytes: Int, in share: MemoryShare? = nil) -> Lease? {
        let granted = ledger.withLock { $0.reserve(bytes, in: share) }
        return granted ? Lease(budget: self, bytes: bytes, share: share) : nil
    }

    /// Calls `grant`, from any thread, once there is room.
    func wait(
        for bytes: Int, in share: MemoryShare? = nil, grant: @escaping @Sendable (Lease) -> Void
    ) -> MemoryLedger.Ticket {
        let now = NIODeadline.now()
        let ticket = ledger.withLock { $0.wait(for: bytes, in: share, since: now, grant) }
        serve()
        return ticket
    }

    func cancel(_ ticket: MemoryLedger.Ticket) {
        // What the waiter holds may hold a lease, whose end needs the lock: it is let go outside of it.
        let waiter = ledger.withLock { $0.cancel(ticket) }
        withExtendedLifetime(waiter) { if waiter != nil { serve() } }
    }

    private func release(_ bytes: Int, of share: MemoryShare?) {
        let hasWaiters = ledger.withLock { $0.release(bytes, of: share) }
        if hasWaiters { serve() }
    }

    private func serve() {
        while let waiter = ledger.withLock({ $0.next() }) {
            waiter.grant(Lease(budget: self, bytes: waiter.bytes, share: waiter.share))
        }
    }
}
