/// What all connections from one address have together, so that many connections get a peer no more than one.
///
/// A connection of a Unix-domain socket has no address, and one of these for itself: its clients cannot be told apart,
/// and only those may connect to whom the rights of the file allow it.
final class AddressShare: Sendable {
    let memory: MemoryShare
    /// See `CallContext.origin`.
    let origin: CallOrigin
    let handlers = FairPool.Account()
    /// Answers that wait to be sent.
    let unsent = FairPool.Account()

    /// - Parameter address: nil: it has none.
    init(memory: MemoryShare, of address: AddressBlock?) {
        self.memory = memory
        origin = address.map(CallOrigin.init) ?? .unlike
    }
}
