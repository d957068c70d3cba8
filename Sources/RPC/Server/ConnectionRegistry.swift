import NIOCore
import Synchronization

/// The connections of a server that are open or whose handlers still run. Once it drains, each new one is told so at once.
final class ConnectionRegistry: Sendable {
    /// The place of a connection, taken before anything is made for it.
    struct Place: Sendable {
        fileprivate let address: AddressBlock?
        /// With all connections from that address.
        let share: AddressShare
    }

    private struct Entry {
        var inbox: LoopInbox<ServerConnection>
        var channel: any Channel
        var place: Place
    }

    private struct Neighbours {
        var count = 0
        let share: AddressShare
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var places = 0
        var perAddress: [AddressBlock: Neighbours] = [:]
        var isDraining = false
        var isCut = false

        mutating func take(
            _ address: AddressBlock?, _ limits: ServerConfiguration, _ share: () -> AddressShare
        ) throws(RPCError) -> Place {
            if isCut { throw RPCError(.unavailable, "the server has ended") }
            if places >= limits.maxConnections {
                throw RPCError(
                    .resourceExhausted, "more than \(limits.maxConnections) connections", limit: .connections)
            }
            guard let address else {
                places += 1
                return Place(address: nil, share: share())
            }
            var neighbours = perAddress[address] ?? Neighbours(share: share())
            if let limit = limits.maxConnectionsPerAddress, neighbours.count >= limit {
                throw RPCError(
                    .resourceExhausted, "more than \(limit) connections from \(address)",
                    limit: .connectionsPerAddress)
            }
            neighbours.count += 1
            perAddress[address] = neighbours
            places += 1
            return Place(address: address, share: neighbours.share)
        }

        mutating func giveBack(_ place: Place) {
            places -= 1
            guard let address = place.address, var neighbours = perAddress[address] else { return }
            neighbours.count -= 1
            perAddress[address] = neighbours.count > 0 ? neighbours : nil
        }
    }

    private let state = Mutex(State())
    let open = RunningCount()

    /// - Throws: which limit forbids it.
    func reserve(
        _ address: SocketAddress?, _ configuration: ServerConfiguration, _ budget: MemoryBudget
    ) throws(RPCError) -> Place {
        try state.withLock { state throws(RPCError) in
            try state.take(AddressBlock(address), configuration) {
                AddressShare(
                    memory: MemoryShare(configuration.memoryShare, of: budget),
                    of: AddressBlock(address))
            }
        }
    }

    /// Of a connection that was not made.
    func giveBack(_ place: Place) { state.withLock { $0.giveBack(place) } }

    func add(_ inbox: LoopInbox<ServerConnection>, channel: any Channel, in place: Place) {
        let (isDraining, isCut) = state.withLock { state in
            state.entries[ObjectIdentifier(inbox)] = Entry(inbox: inbox, channel: channel, place: place)
            open.begin()
            return (state.isDraining, state.isCut)
        }
        if isDraining { inbox.submit { $0.drain() } }
        if isCut { channel.close(promise: nil) }
    }

    func remove(_ inbox: LoopInbox<ServerConnection>) {
        let entry = state.withLock { state in
            let entry = state.entries.removeValue(forKey: ObjectIdentifier(inbox))
            if let entry { state.giveBack(entry.place) }
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
