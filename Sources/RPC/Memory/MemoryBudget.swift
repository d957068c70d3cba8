import NIOCore
import Synchronization

/// Bytes of messages in flight in this process; receivers reserve before the first byte has its place.
///
/// First come first served: while a large message waits, smaller ones behind it wait too. A reservation ends when the
/// received `Payload` is let go; for a unary call, when its handler has returned. Messages below
/// `smallestReservation` are held by the windows of their streams alone.
public final class MemoryBudget: Sendable {
    /// With what is not counted here (windows, receive buffers, memory that waits to be used again), a process that is full
    /// of messages stays below 256 MB.
    public static let defaultLimit = 192 << 20
    public static let shared = MemoryBudget(limit: defaultLimit)
    static let smallestReservation = 16 << 10

    /// Memory reserved for one message; given back when the last reference goes.
    final class Lease: Sendable {
        private let budget: MemoryBudget
        let bytes: Int

        fileprivate init(budget: MemoryBudget, bytes: Int) {
            self.budget = budget
            self.bytes = bytes
        }

        deinit { budget.release(bytes) }
    }

    private struct Waiter {
        var id: UInt64
        var bytes: Int
        var grant: @Sendable (Lease) -> Void
    }

    private struct State {
        var used = 0
        var waiters = CircularBuffer<Waiter>()
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())
    private let most: Atomic<Int>

    public init(limit: Int) { most = Atomic(limit) }

    /// To be changed before messages come: one that waits for room already may wait for ever for what is less.
    public var limit: Int {
        get { most.load(ordering: .relaxed) }
        set { most.store(newValue, ordering: .relaxed) }
    }

    public var used: Int { state.withLock { $0.used } }

    /// nil: there is no room, or others wait already.
    func reserve(_ bytes: Int) -> Lease? {
        let granted = state.withLock { state in
            guard state.waiters.isEmpty, bytes <= limit - state.used else { return false }
            state.used += bytes
            return true
        }
        return granted ? Lease(budget: self, bytes: bytes) : nil
    }

    /// Calls `grant`, from any thread, once there is room.
    /// - Returns: a ticket for `cancel`.
    func wait(for bytes: Int, grant: @escaping @Sendable (Lease) -> Void) -> UInt64 {
        let id = state.withLock { state in
            state.nextID += 1
            state.waiters.append(Waiter(id: state.nextID, bytes: bytes, grant: grant))
            return state.nextID
        }
        serve()
        return id
    }

    func cancel(_ ticket: UInt64) {
        // What the waiter holds may hold a lease, whose end needs the lock: it is let go outside of it.
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == ticket }.map { state.waiters.remove(at: $0) }
        }
        withExtendedLifetime(waiter) { if waiter != nil { serve() } }
    }

    private func release(_ bytes: Int) {
        let hasWaiters = state.withLock { state in
            state.used -= bytes
            return !state.waiters.isEmpty
        }
        if hasWaiters { serve() }
    }

    private func serve() {
        while let waiter = state.withLock({ state -> Waiter? in
            guard let first = state.waiters.first, first.bytes <= limit - state.used else { return nil }
            state.used += first.bytes
            return state.waiters.removeFirst()
        }) {
            waiter.grant(Lease(budget: self, bytes: waiter.bytes))
        }
    }
}
