import NIOCore

/// Who has how much of a `MemoryBudget`, and who waits for it. A value: it says who is served next, the budget does it.
/// Nothing here takes longer the more of them wait, since all loops meet at its lock.
///
/// First come first served, but who waits for room in its own share (`MemoryShare`) waits beside the others:
///
///     ──▶ waits for its share ──▶ waits for memory ──▶ has it
struct MemoryLedger {
    /// Names a wait, to end it.
    struct Ticket: Sendable, Hashable {
        fileprivate let place: WaitingLines<Waiter>.Place
        /// When the wait began.
        let since: NIODeadline
    }

    struct Waiter {
        let bytes: Int
        let share: MemoryShare?
        /// Its share has room, and counts it already.
        fileprivate var isInShare: Bool
        let grant: @Sendable (MemoryBudget.Lease) -> Void
    }

    private struct Part {
        var used = 0
        var line = WaitingLines<Waiter>.Line()

        func hasRoom(for bytes: Int, limit: Int) -> Bool { used == 0 || bytes <= limit - used }
    }

    var limit: Int
    private(set) var used = 0
    private var waiters = WaitingLines<Waiter>()
    /// Those whose shares have room.
    private var line = WaitingLines<Waiter>.Line()
    /// Those that somebody uses or waits for.
    private var parts: [MemoryShare: Part] = [:]

    init(limit: Int) { self.limit = limit }

    /// - Returns: false: there is no room, or others wait already.
    mutating func reserve(_ bytes: Int, in share: MemoryShare?) -> Bool {
        guard line.isEmpty, bytes <= limit - used else { return false }
        if let share {
            let part = parts[share] ?? Part()
            guard part.line.isEmpty, part.hasRoom(for: bytes, limit: share.limit) else { return false }
            parts[share, default: Part()].used += bytes
        }
        used += bytes
        return true
    }

    mutating func wait(
        for bytes: Int, in share: MemoryShare?, since: NIODeadline,
        _ grant: @escaping @Sendable (MemoryBudget.Lease) -> Void
    ) -> Ticket {
        let waiter = Waiter(bytes: bytes, share: share, isInShare: share == nil, grant: grant)
        guard let share else { return Ticket(place: waiters.append(waiter, to: &line), since: since) }
        let place = waiters.append(waiter, to: &parts[share, default: Part()].line)
        advance(share)
        return Ticket(place: place, since: since)
    }

    /// - Returns: who does not wait any more.
    mutating func cancel(_ ticket: Ticket) -> Waiter? {
        guard let waiter = waiters[ticket.place] else { return nil }
        guard let share = waiter.share else { return waiters.remove(ticket.place, from: &line) }
        if waiter.isInShare {
            _ = waiters.remove(ticket.place, from: &line)
            giveBack(waiter.bytes, to: share)
        } else {
            _ = waiters.remove(ticket.place, from: &parts[share, default: Part()].line)
            advance(share)
        }
        return waiter
    }

    /// - Returns: others wait.
    mutating func release(_ bytes: Int, of share: MemoryShare?) -> Bool {
        used -= bytes
        if let share { giveBack(bytes, to: share) }
        return !line.isEmpty
    }

    /// Who is served now.
    mutating func next() -> Waiter? {
        guard let first = waiters.first(of: line), first.bytes <= limit - used else { return nil }
        used += first.bytes
        return waiters.removeFirst(of: &line)
    }

    private mutating func giveBack(_ bytes: Int, to share: MemoryShare) {
        parts[share]?.used -= bytes
        advance(share)
    }

    /// Whose share has room goes on to the others; a share that nobody uses is forgotten.
    private mutating func advance(_ share: MemoryShare) {
        guard var part = parts[share] else { return }
        while let first = waiters.first(of: part.line), part.hasRoom(for: first.bytes, limit: share.limit) {
            part.used += first.bytes
            waiters.moveFirst(of: &part.line, to: &line) { $0?.isInShare = true }
        }
        parts[share] = part.used == 0 && part.line.isEmpty ? nil : part
    }
}
