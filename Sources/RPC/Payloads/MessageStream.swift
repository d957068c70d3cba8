/// The messages of a peer, one consumer. Taking a message returns its flow-control credit.
/// Throws `RPCError` when the call ends badly (cancelled, deadline, connection lost, status not OK).
public struct MessageStream: AsyncSequence, Sendable {
    public typealias Element = Payload

    enum Source {
        case queue(InboundQueue)
        case attempted(any AttemptedCall)
    }

    private let source: Source

    init(_ source: Source) { self.source = source }
    init(queue: InboundQueue) { source = .queue(queue) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let source: Source
        public mutating func next() async throws -> Payload? {
            switch source {
            case .queue(let queue):
                guard let payload = try await queue.next() else { return nil }
                return payload.inflater == nil ? payload : try queue.inflate(payload)
            case .attempted(let call):
                guard let payload = try await call.next() else { return nil }
                return payload.inflater == nil ? payload : try call.inflate(payload)
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: source) }
}
