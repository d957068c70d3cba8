package import NIOCore
import ServiceLifecycle
import Synchronization

/// Somebody who looks on at a `Broadcast`, from `watch` until this object is gone.
package final class Viewer: EventSource {
    private typealias Waiter = CheckedContinuation<[ViewerQueue.Piece]?, Never>

    private struct State {
        /// What it missed: as much as is remembered, however much that is. What is new waits in the queue meanwhile.
        var missed: [ViewerQueue.Piece]
        var queue: ViewerQueue
        var waiter: Waiter?
        /// `wake` came while nobody waited.
        var isWoken = false
        var isOver = false
        /// Ends the connection, which may be stuck in the middle of a write.
        var drop: (@Sendable () -> Void)?
        var wasDropped = false

        mutating func takeAll() -> [ViewerQueue.Piece] {
            defer { missed = [] }
            return missed + queue.take()
        }
    }

    private let state: Mutex<State>
    /// Held as long as somebody looks on.
    private let place: Places.Place?
    private let leave: @Sendable () -> Void

    /// - Parameters:
    ///   - missed: is first to be seen.
    ///   - place: that it takes; nil: it is not counted.
    ///   - leave: called when nobody holds the viewer any more.
    init(
        _ rule: ViewerQueue.Rule, missed: [ViewerQueue.Piece], place: Places.Place?,
        leave: @escaping @Sendable () -> Void
    ) {
        state = Mutex(State(missed: missed, queue: ViewerQueue(rule)))
        self.place = place
        self.leave = leave
    }

    deinit { leave() }

    /// It was too slow.
    package var wasDropped: Bool { state.withLock { $0.wasDropped } }

    /// - Parameter drop: ends the connection; called at once where the viewer was too slow already.
    package func onDrop(_ drop: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            state.drop = drop
            return state.wasDropped
        }
        if isLate { drop() }
    }

    /// - Returns: false if it is too slow, and dropped by this; or was before.
    @discardableResult
    func offer(_ piece: ViewerQueue.Piece, now: ContinuousClock.Instant) -> Bool {
        enum Outcome {
            case kept, over
            case given(Waiter)
            case dropped((@Sendable () -> Void)?)
        }
        let outcome = state.withLock { state -> Outcome in
            if state.isOver { return .over }
            if let waiter = state.waiter.take() { return .given(waiter) }
            if state.queue.offer(piece, now: now) { return .kept }
            state.isOver = true
            state.wasDropped = true
            _ = state.takeAll()
            return .dropped(state.drop)
        }
        switch outcome {
        case .kept: return true
        case .over: return false
        case .given(let waiter):
            waiter.resume(returning: [piece])
            return true
        case .dropped(let drop):
            drop?()
            return false
        }
    }

    /// Nothing comes any more after what waits.
    func finish() {
        let waiter = state.withLock { state in
            state.isOver = true
            return state.waiter.take()
        }
        waiter?.resume(returning: nil)
    }

    /// Also nil when the gateway ends, which waits for nobody who only looks on.
    package func next() async -> [ByteBuffer]? {
        if Task.isShuttingDownGracefully { return nil }
        return await cancelWhenGracefulShutdown { await self.take()?.map(\.bytes) }
    }

    package func wake() {
        let waiter = state.withLock { state in
            let waiter = state.waiter.take()
            if waiter == nil { state.isWoken = true }
            return waiter
        }
        waiter?.resume(returning: [])
    }

    /// All that waits, once something does; nothing after `wake`; nil at the end, and when the task is cancelled. One task
    /// at a time.
    func take() async -> [ViewerQueue.Piece]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Waiter) in
                enum Ready {
                    case pieces([ViewerQueue.Piece])
                    case end, later
                }
                let ready = state.withLock { state -> Ready in
                    defer { state.isWoken = false }
                    let pieces = state.takeAll()
                    if !pieces.isEmpty { return .pieces(pieces) }
                    if state.isOver || Task.isCancelled { return .end }
                    if state.isWoken { return .pieces([]) }
                    state.waiter = continuation
                    return .later
                }
                switch ready {
                case .pieces(let pieces): continuation.resume(returning: pieces)
                case .end: continuation.resume(returning: nil)
                case .later: break
                }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume(returning: nil)
        }
    }
}
