import NIOCore
import Synchronization

/// The connections of a server that are open or whose handlers still run. Once it drains, each new one is told so at once.
final class ConnectionRegistry: Sendable {
    private struct Entry {
        var inbox: LoopInbox<ServerConnection>
        var channel: any Channel
        /// The peer's IP address.
        var address: String?
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var perAddress: [String: Int] = [:]
        var isDraining = false
        var isCut = false

        func refusal(of entry: Entry, _ limits: ServerConfiguration) -> RPCError? {
            if isCut { return RPCError(.unavailable, "the server has ended") }
            if entries.count >= limits.maxConnections {
                return RPCError(
                    .resourceExhausted, "more than \(limits.maxConnections) connections", limit: .connections)
            }
            if let address = entry.address, let limit = limits.maxConnectionsPerAddress,
                perAddress[address, default: 0] >= limit
            {
                return RPCError(
                    .resourceExhausted, "more than \(limit) connections from \(address)",
                    limit: .connectionsPerAddress)
            }
            return nil
        }
    }

    private let state = Mutex(State())
    let open = RunningCount()

    /// - Returns: which limit forbids it; nil: it is in.
    func add(
        _ inbox: LoopInbox<ServerConnection>, channel: any Channel, _ configuration: ServerConfiguration
    ) -> RPCError? {
        let entry = Entry(inbox: inbox, channel: channel, address: channel.remoteAddress?.ipAddress)
        let (error, isDraining) = state.withLock { state -> (RPCError?, Bool) in
            if let error = state.refusal(of: entry, configuration) { return (error, false) }
            state.entries[ObjectIdentifier(inbox)] = entry
            if let address = entry.address { state.perAddress[address, default: 0] += 1 }
            open.begin()
            return (nil, state.isDraining)
        }
        if isDraining { inbox.submit { $0.drain() } }
        return error
    }

    func remove(_ inbox: LoopInbox<ServerConnection>) {
        let entry = state.withLock { state in
            let entry = state.entries.removeValue(forKey: ObjectIdentifier(inbox))
            if let address = entry?.address, let count = state.perAddress[address] {
                state.perAddress[address] = count > 1 ? count - 1 : nil
            }
            return entry
        }
        if entry != nil { open.end() }
    }

    func drain() {
        let inboxes = state.withLock { state in
            state.isDraining = true
            return state.entries.values.map(\.inbox)
        }
        for inbox in inboxes { inbox.submit { $0.drain() } }
    }

    /// Ends all connections now; no new ones come.
    func cut() {
        let channels = state.withLock { state in
            state.isCut = true
            return state.entries.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
