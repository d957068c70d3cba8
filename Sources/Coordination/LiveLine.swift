import DequeModule
import Synchronization

/// Where streams with `latest` take turns while nodes have enough to do.
///
/// A frame that waits in a node's queue grows old, and one that waits here is replaced by a newer one of its stream. So as many go
/// as nodes run at one time; of many nodes a quarter more, which is there while answers and the next frames are on their way. What
/// others have sent to the nodes counts, but cannot keep streams from half of them.
final class LiveLine: Sendable {
    /// What nodes run at one time, and what they have to do.
    struct Room: Sendable, Equatable {
        var capacity: Int
        var load: Int

        var free: Int { capacity - load }
    }

    /// Whoever has waited for so long goes: frames that were sent to nodes which are lost may be all that is counted.
    static let patience: Duration = .seconds(5)
    /// Between two looks at the nodes while somebody waits: what others have sent is done, or there are more nodes.
    private static let look: Duration = .milliseconds(10)

    private struct Waiter {
        var ticket: UInt64
        var since: ContinuousClock.Instant
        /// Whether it may go; else its task was cancelled.
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var waiting = Deque<Waiter>()
        var lastTicket: UInt64 = 0
        /// Those that went, and whose frames are not answered yet.
        var gone = 0
        var isLooking = false
    }

    private let state = Mutex(State())
    /// nil: there is no node, and they all wait for one.
    private let room: @Sendable () -> Room?

    init(room: @escaping @Sendable () -> Room?) { self.room = room }

    /// - Parameter gone: frames of streams that nodes have already.
    static func mayGo(_ room: Room?, gone: Int) -> Bool {
        guard let room else { return true }
        return gone < max(1, room.capacity / 2) || room.load < room.capacity + room.capacity / 4
    }

    /// Waits for its turn. Whoever went calls `back` once the frame is answered.
    /// - Returns: false: the task was cancelled.
    func turn() async -> Bool {
        let (ticket, goes) = state.withLock { state in
            state.lastTicket += 1
            let goes = state.waiting.isEmpty && Self.mayGo(room(), gone: state.gone)
            if goes { state.gone += 1 }
            return (state.lastTicket, goes)
        }
        if goes { return true }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isFirst = state.withLock { state in
                    state.waiting.append(Waiter(ticket: ticket, since: .now, continuation: continuation))
                    defer { state.isLooking = true }
                    return !state.isLooking
                }
                // Its cancellation may have come before it stood in the line.
                if Task.isCancelled { cancel(ticket) }
                if isFirst { Task { await look() } }
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// The frame of one that went is answered.
    func back() {
        state.withLock { $0.gone -= 1 }
        next()
    }

    /// The first one goes, if it may. One at a time: its call is not counted before it is made.
    private func next() {
        let first: Waiter? = state.withLock { state in
            guard let first = state.waiting.first,
                first.since.duration(to: .now) > Self.patience || Self.mayGo(room(), gone: state.gone)
            else { return nil }
            state.gone += 1
            return state.waiting.removeFirst()
        }
        first?.continuation.resume(returning: true)
    }

    private func look() async {
        while true {
            try? await Task.sleep(for: Self.look)
            next()
            let isOver = state.withLock { state in
                state.isLooking = !state.waiting.isEmpty
                return !state.isLooking
            }
            if isOver { return }
        }
    }

    private func cancel(_ ticket: UInt64) {
        let waiter: Waiter? = state.withLock { state in
            state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: false)
    }
}
