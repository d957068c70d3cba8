/// Wakes one waiting task; a signal that nobody waits for yet is kept.
struct Nudge: Sendable {
    private let nudges: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (nudges, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func signal() { continuation.yield() }

    /// - Throws: `CancellationError`.
    func wait() async throws {
        var iterator = nudges.makeAsyncIterator()
        guard await iterator.next() != nil else { throw CancellationError() }
    }
}
