/// The messages of a peer, one consumer. Taking a message returns its flow-control credit.
/// Throws `RPCError` when the call ends badly (cancelled, deadline, connection lost, status not OK).
public struct MessageStream: AsyncSequence, Sendable {
    public typealias Element = Payload

    let queue: InboundQueue

    public struct AsyncIterator: AsyncIteratorProtocol {
        let queue: InboundQueue
        public mutating func next() async throws -> Payload? { try await queue.next() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}
