import NIOCore
import Synchronization

/// The messages that came for one streaming call, between its connection's loop and its consumer.
final class InboundQueue: Sendable {
    private struct Entry {
        var payload: Payload
        var credit: Int
        /// Memory beside what is reserved for it.
        var cost: Int { InboundQueue.entryCost + (payload.lease == nil ? payload.byteCount : 0) }
    }

    private enum End {
        case finished
        case failed(RPCError)
    }

    private struct State {
        var entries = CircularBuffer<Entry>(initialCapacity: 2)
        /// Behind `entries`, and before `end`.
        var unread: UnreadMessages?
        var end: End?
        var waiter: CheckedContinuation<Payload?, any Error>?
        var isAbandoned = false
        var cost = 0
        /// Where `cost` is counted; nil: nowhere.
        var memory: QueuedShare?
        /// Taken, but not yet returned to the peer.
        var credit = 0
        /// The loop was told to bring no more; it goes on when no more than this waits, half of what had room. nil: it
        /// brings what comes.
        var goesOnAt: Int?

        init(_ memory: QueuedShare?) { self.memory = memory }

        /// - Returns: false: there is no room for another one now.
        mutating func add(_ entry: Entry, maxBytes: Int) -> Bool {
            entries.append(entry)
            cost += entry.cost
            let isHeld = memory?.hold(cost) ?? true
            goesOnAt = isHeld && cost < maxBytes ? nil : min(maxBytes, memory?.room ?? maxBytes) / 2
            return goesOnAt == nil
        }

        mutating func removeFirst() -> Entry? {
            guard let entry = entries.popFirst() else { return nil }
            cost -= entry.cost
            memory?.fit(cost)
            return entry
        }

        mutating func removeAll() -> CircularBuffer<Entry> {
            cost = 0
            memory?.fit(0)
            defer { entries = CircularBuffer() }
            return entries
        }

        /// - Returns: the credit to return now.
        mutating func take(_ bytes: Int, step: Int) -> Int? {
            credit += bytes
            let hasRoom = goesOnAt.map { cost <= $0 } ?? false
            guard credit >= step || hasRoom, end == nil else { return nil }
            if hasRoom { goesOnAt = nil }
            defer { credit = 0 }
            return credit
        }

        /// nil: there is none, or none left.
        mutating func nextUnread() -> Result<Payload?, any Error>? {
            do throws(RPCError) {
                if let payload = try unread?.next() { return .success(payload) }
                unread = nil
                return nil
            } catch {
                unread = nil
                end = .failed(error.withheld)
                return .failure(error.withheld)
            }
        }
    }

    /// Nothing waits for the consumer.
    var isEmpty: Bool { state.withLock { $0.entries.isEmpty } }

    /// What a message takes beside its bytes, with an attachment: its place here, and two buffers.
    static let entryCost = 256

    private let state: Mutex<State>
    /// Credit is returned in steps of so many bytes, to wake the loop less often.
    private let creditStep: Int
    /// Of the messages that wait here, each with `entryCost` more: a short one takes many times its bytes, so that a
    /// window alone is no limit.
    private let maxBytes: Int
    private let returnCredit: @Sendable (Int) -> Void
    private let abandoned: @Sendable () -> Void

    /// - Parameters:
    ///   - memory: counts what waits here; nil: nothing does.
    ///   - returnCredit: there is also room for more, if `push` said that there was none.
    ///   - abandoned: the consumer was cancelled while it waited.
    init(
        creditStep: Int, maxBytes: Int = .max, memory: QueuedShare? = nil,
        returnCredit: @escaping @Sendable (Int) -> Void, abandoned: @escaping @Sendable () -> Void = {}
    ) {
        state = Mutex(State(memory))
        self.creditStep = creditStep
        self.maxBytes = maxBytes
        self.returnCredit = returnCredit
        self.abandoned = abandoned
    }

    // ---- the loop ----

    /// - Returns: false: there is no room for another one now.
    func push(_ payload: Payload, credit: Int) -> Bool {
        let (waiter, due, hasRoom) = state.withLock {
            state -> (CheckedContinuation<Payload?, any Error>?, Int?, Bool) in
            guard state.end == nil else { return (nil, nil, true) }
            guard let waiter = state.waiter.take() else {
                return (nil, nil, state.add(Entry(payload: payload, credit: credit), maxBytes: maxBytes))
            }
            return (waiter, state.take(credit, step: creditStep), true)
        }
        if let due { returnCredit(due) }
        waiter?.resume(returning: payload)
        return hasRoom
    }

    /// All the rest, where the connection has ended and nobody will push it. `finish` comes next.
    func leave(_ unread: UnreadMessages) {
        let served = state.withLock {
            state -> (waiter: CheckedContinuation<Payload?, any Error>, first: Result<Payload?, any Error>)? in
            guard state.end == nil else { return nil }
            state.unread = unread
            guard state.waiter != nil, let first = state.nextUnread(), let waiter = state.waiter.take() else {
                return nil
            }
            return (waiter, first)
        }
        if let served { served.waiter.resume(with: served.first) }
    }

    /// - Parameter error: nil when the peer sent all it wanted. With an error that is ours (cancelled, deadline),
    ///   what was not taken is let go.
    func finish(_ error: RPCError?, dropping: Bool = false) {
        let (waiter, dropped) = state.withLock { state in
            guard state.end == nil || dropping else {
                return (CheckedContinuation<Payload?, any Error>?.none, CircularBuffer<Entry>())
            }
            state.end = error.map { .failed($0) } ?? .finished
            var dropped = CircularBuffer<Entry>()
            if dropping {
                dropped = state.removeAll()
                state.unread = nil
            }
            return (state.waiter.take(), dropped)
        }
        // Memory that is let go serves others at once, which must not happen inside the lock.
        withExtendedLifetime(dropped) {}
        if let error { waiter?.resume(throwing: error) } else { waiter?.resume(returning: nil) }
    }

    // ---- the consumer ----

    func next() async throws -> Payload? {
        if let ready = poll() { return try ready.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if let ready = poll(orWait: continuation) { continuation.resume(with: ready) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.isAbandoned = true
                return state.waiter.take()
            }
            waiter?.resume(throwing: Self.cancelled)
            abandoned()
        }
    }

    /// A message that cannot be inflated ends the call.
    func inflate(_ payload: Payload) throws(RPCError) -> Payload {
        do {
            return try payload.inflated()
        } catch {
            finish(error, dropping: true)
            abandoned()
            throw error
        }
    }

    private static let cancelled = RPCError(.cancelled, "call was cancelled")

    /// What there is now; nil: nothing, and the continuation, if given, is kept for later.
    func poll(orWait continuation: CheckedContinuation<Payload?, any Error>? = nil) -> Result<Payload?, any Error>? {
        let (result, due) = state.withLock { state -> (Result<Payload?, any Error>?, Int?) in
            if let entry = state.removeFirst() {
                return (.success(entry.payload), state.take(entry.credit, step: creditStep))
            }
            if let unread = state.nextUnread() { return (unread, nil) }
            switch state.end {
            case .finished: return (.success(nil), nil)
            case .failed(let error): return (.failure(error), nil)
            case nil: break
            }
            if state.isAbandoned { return (.failure(Self.cancelled), nil) }
            if state.waiter != nil {
                return (.failure(RPCError(.internal, "two consumers read the messages of one call")), nil)
            }
            state.waiter = continuation
            return (nil, nil)
        }
        if let due { returnCredit(due) }
        return result
    }
}
