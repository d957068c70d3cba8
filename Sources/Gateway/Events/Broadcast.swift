import DequeModule
package import Metrics
package import NIOCore
import Synchronization

/// Hands what it is given to all who look on, encoded once. Who does not keep up is dropped and costs the others nothing.
///
///     let events = Broadcast.events(limits, places)
///     events.publish("frame", data: json)
///     …
///     let viewer = try events.watch(for: context.caller.key, after: request.lastEventID)
///     return EventStream.response(viewer, keepAlive: limits.keepAlive, on: context.channel)
package final class Broadcast: Sendable {
    private struct State {
        var viewers: [UInt64: Weak] = [:]
        var viewerNumber: UInt64 = 0
        var history = Deque<ViewerQueue.Piece>()
        var historyByteCount = 0
        var lastID: UInt64 = 0
        var dropped = 0
        var isOver = false
    }

    private struct Weak: Sendable {
        weak let viewer: Viewer?
    }

    private let rule: ViewerQueue.Rule
    private let limits: EventLimits
    private let places: Places
    private let dropped: Counter?
    private let keepsHistory: Bool
    private let state = Mutex(State())
    /// Who publishes, or comes to look on, does so one after the other: all see the same order.
    private let turn = Mutex(())

    private init(
        _ rule: ViewerQueue.Rule, keepsHistory: Bool, _ limits: EventLimits, _ places: Places, _ dropped: Counter?
    ) {
        self.rule = rule
        self.keepsHistory = keepsHistory
        self.limits = limits
        self.places = places
        self.dropped = dropped
    }

    /// Of events: each viewer gets each, from where it was when it comes back.
    /// - Parameter dropped: counts viewers that are too slow.
    package static func events(_ limits: EventLimits, _ places: Places, dropped: Counter? = nil) -> Broadcast {
        Broadcast(
            .each(events: limits.viewerEvents, bytes: limits.viewerBytes), keepsHistory: true, limits, places, dropped)
    }

    /// Of pictures: each viewer gets the newest when it has taken the one before.
    /// - Parameter dropped: counts viewers that are too slow.
    package static func pictures(_ limits: EventLimits, _ places: Places, dropped: Counter? = nil) -> Broadcast {
        Broadcast(.newest(stall: limits.viewerStall), keepsHistory: false, limits, places, dropped)
    }

    package var viewerCount: Int { state.withLock { $0.viewers.count } }
    /// Viewers that were too slow, so far.
    package var droppedViewers: Int { state.withLock { $0.dropped } }

    /// To all who look on.
    /// - Parameter id: of the event, rising; nil: the next number.
    package func publish(_ name: String, data: String, id: UInt64? = nil) {
        turn.withLock { _ in
            let id = id ?? state.withLock { $0.lastID + 1 }
            let event = ServerSentEvent(name, id: String(id), data: data)
            hand(ViewerQueue.Piece(id: id, bytes: ByteBuffer(string: event.text)))
        }
    }

    /// To all who look on, as it is.
    package func publish(_ bytes: ByteBuffer) {
        turn.withLock { _ in hand(ViewerQueue.Piece(bytes: bytes)) }
    }

    /// In turn.
    private func hand(_ piece: ViewerQueue.Piece) {
        let viewers = state.withLock { state -> [(number: UInt64, viewer: Viewer)] in
            if let id = piece.id { state.lastID = max(state.lastID, id) }
            if keepsHistory, piece.id != nil { Self.remember(piece, limits, &state) }
            return state.viewers.compactMap { number, weak in weak.viewer.map { (number, $0) } }
        }
        let now = ContinuousClock.now
        let slow = viewers.filter { !$0.viewer.offer(piece, now: now) && $0.viewer.wasDropped }.map(\.number)
        guard !slow.isEmpty else { return }
        dropped?.increment(by: slow.count)
        state.withLock { state in
            state.dropped += slow.count
            for number in slow { state.viewers[number] = nil }
        }
    }

    private static func remember(_ piece: ViewerQueue.Piece, _ limits: EventLimits, _ state: inout State) {
        state.history.append(piece)
        state.historyByteCount += piece.bytes.readableBytes
        while state.history.count > limits.history || state.historyByteCount > limits.historyBytes,
            let oldest = state.history.popFirst()
        {
            state.historyByteCount -= oldest.bytes.readableBytes
        }
    }

    /// A new viewer, of all that is published from now on; of what is over, its last words.
    /// - Parameters:
    ///   - caller: whose viewer it is: it has one of the caller's places as long as there is somebody who holds it.
    ///   - lastID: what it has seen already; what came after that, and is still remembered, comes first, and does not count
    ///     as what it is behind by.
    /// - Throws: `Problem`, 429.
    package func watch(for caller: Caller.Key, after lastID: UInt64? = nil) throws -> Viewer {
        let place = try places.take(for: caller)
        return turn.withLock { _ in
            let (viewer, isOver) = state.withLock { state in
                state.viewerNumber += 1
                let number = state.viewerNumber
                let viewer = Viewer(rule, missed: Self.missed(since: lastID, state), place: place) { [weak self] in
                    self?.state.withLock { $0.viewers[number] = nil }
                }
                state.viewers[number] = Weak(viewer: viewer)
                return (viewer, state.isOver)
            }
            if isOver { viewer.finish() }
            return viewer
        }
    }

    /// How it ended, and that it did.
    private static let lastWords = 2

    private static func missed(since lastID: UInt64?, _ state: State) -> [ViewerQueue.Piece] {
        // An id that is yet to come is of another life of this source.
        guard let lastID, lastID <= state.lastID else {
            return state.isOver ? Array(state.history.suffix(Self.lastWords)) : []
        }
        return state.history.filter { piece in piece.id.map { $0 > lastID } ?? false }
    }

    /// The end for all who look on; who comes later sees what is remembered, and the end.
    package func finish() {
        turn.withLock { _ in
            let viewers = state.withLock { state in
                state.isOver = true
                return state.viewers.values.compactMap(\.viewer)
            }
            for viewer in viewers { viewer.finish() }
        }
    }
}
