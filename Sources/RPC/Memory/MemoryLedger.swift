import NIOCore

/// Who has how much of a `MemoryBudget`, and who waits for it. A value: it says who is served next, the budget does it.
///
/// First come first served, but who waits for room in its own share (`MemoryShare`) waits beside the others:
///
///     ──▶ waits for its share ──▶ waits for memory ──▶ has it
struct MemoryLedger {
    /// Names a wait, to end it.
    struct Ticket: Sendable, Hashable {
        fileprivate let id: UInt64
        fileprivate let share: MemoryShare?
        /// When the wait began.
        let since: NIODeadline
    }

    struct Waiter {
        fileprivate let ticket: Ticket
        let bytes: Int
        var share: MemoryShare? { ticket.share }
        let grant: @Sendable (MemoryBudget.Lease) -> Void
    }

    private struct Part {
        var used = 0
        var waiters = CircularBuffer<Waiter>()

        func hasRoom(for bytes: Int, limit: Int) -> Bool { used == 0 || bytes <= limit - used }
    }

    var limit: Int
    private(set) var used = 0
    /// Their shares have room, and count them already.
    private var waiters = CircularBuffer<Waiter>()
    /// Those that somebody uses or waits for.
    private var parts: [MemoryShare: Part] = [:]
    private var lastID: UInt64 = 0

    init(limit: Int) { self.limit = limit }

    /// - Returns: false: there is no room, or others wait already.
    mutating func reserve(_ bytes: Int, in share: MemoryShare?) -> Bool {
        guard waiters.isEmpty, bytes <= limit - used else { return false }
        if let share {
            let part = parts[share] ?? Part()
            guard part.waiters.isEmpty, part.hasRoom(for: bytes, limit: share.limit) else { return false }
            parts[share, default: Part()].used += bytes
        }
        used += bytes
        return true
    }

    mutating func wait(
        for bytes: Int, in share: MemoryShare?, since: NIODeadline,
        _ grant: @escaping @Sendable (MemoryBudget.Lease) -> Void
    ) -> Ticket {
        lastID += 1
        let waiter = Waiter(ticket: Ticket(id: lastID, share: share, since: since), bytes: bytes, grant: grant)
        if let share {
            parts[share, default: Part()].waiters.append(waiter)
            advance(share)
        } else {
            waiters.append(waiter)
        }
        return waiter.ticket
    }

    /// - Returns: who does not wait any more.
    mutating func cancel(_ ticket: Ticket) -> Waiter? {
        let share = ticket.share
        if let share, let index = parts[share]?.waiters.firstIndex(where: { $0.ticket == ticket }) {
            let waiter = parts[share]?.waiters.remove(at: index)
            advance(share)
            return waiter
        }
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let waiter = waiters.remove(at: index)
        if let share { giveBack(waiter.bytes, to: share) }
        return waiter
    }

    /// - Returns: others wait.
    mutating func release(_ bytes: Int, of share: MemoryShare?) -> Bool {
        used -= bytes
        if let share { giveBack(bytes, to: share) }
        return !waiters.isEmpty
    }

    /// Who is served now.
    mutating func next() -> Waiter? {
        guard let first = waiters.first, first.bytes <= limit - used else { return nil }
        used += first.bytes
        return waiters.removeFirst()
    }

    private mutating func giveBack(_ bytes: Int, to share: MemoryShare) {
        parts[share]?.used -= bytes
        advance(share)
    }

    /// Whose share has room goes on to the others; a share that nobody uses is forgotten.
    private mutating func advance(_ share: MemoryShare) {
        guard var part = parts[share] else { return }
        while let first = part.waiters.first, part.hasRoom(for: first.bytes, limit: share.limit) {
            part.used += first.bytes
            waiters.append(part.waiters.removeFirst())
        }
        parts[share] = part.used == 0 && part.waiters.isEmpty ? nil : part
    }
}
