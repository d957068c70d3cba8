import NIOCore
import Synchronization

/// The connections of a server that are open or whose handlers still run. Once it drains, each new one is told so at once.
final class ConnectionRegistry: Sendable {
    private struct State {
        var inboxes: [ObjectIdentifier: (inbox: LoopInbox<ServerConnection>, channel: any Channel)] = [:]
        var isDraining = false
        var isCut = false
    }

    private let state = Mutex(State())
    let open = RunningCount()

    /// - Returns: false: there are too many.
    func add(_ inbox: LoopInbox<ServerConnection>, channel: any Channel, limit: Int) -> Bool {
        let (isAdded, isDraining) = state.withLock { state in
            guard state.inboxes.count < limit, !state.isCut else { return (false, false) }
            state.inboxes[ObjectIdentifier(inbox)] = (inbox, channel)
            open.begin()
            return (true, state.isDraining)
        }
        if isDraining { inbox.submit { $0.drain() } }
        return isAdded
    }

    func remove(_ inbox: LoopInbox<ServerConnection>) {
        if state.withLock({ $0.inboxes.removeValue(forKey: ObjectIdentifier(inbox)) }) != nil { open.end() }
    }

    func drain() {
        let inboxes = state.withLock { state in
            state.isDraining = true
            return state.inboxes.values.map(\.inbox)
        }
        for inbox in inboxes { inbox.submit { $0.drain() } }
    }

    /// Ends all connections now; no new ones come.
    func cut() {
        let channels = state.withLock { state in
            state.isCut = true
            return state.inboxes.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
