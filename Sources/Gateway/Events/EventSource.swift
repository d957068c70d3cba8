package import NIOCore

/// What one answer of server-sent events tells, in its order and at the pace of who listens.
package protocol EventSource: Sendable {
    /// Whole events, as they are written; empty: nothing so far, so that who asks may look at its connection; nil: the end,
    /// also when the task is cancelled.
    mutating func next() async throws -> [ByteBuffer]?

    /// Has a `next` that waits return, if with nothing. One that returns by itself from time to time need not.
    func wake()

    /// - Parameter drop: ends the connection of a viewer that is too slow for this source; it may be stuck in the middle of
    ///   a write.
    func onDrop(_ drop: @escaping @Sendable () -> Void)
}

extension EventSource {
    package func wake() {}
    package func onDrop(_ drop: @escaping @Sendable () -> Void) {}
}
