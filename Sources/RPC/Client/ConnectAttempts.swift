import NIOCore
import Synchronization

/// Channels of a connect, which its task may give up: a name has several addresses, and each of them a channel.
final class ConnectAttempts: Sendable {
    private let state = Mutex((channels: [any Channel](), isCancelled: false))

    /// - Throws: `CancellationError` if it was given up.
    func begin(_ channel: any Channel) throws(CancellationError) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.channels.append(channel) }
            return state.isCancelled
        }
        if isCancelled { throw CancellationError() }
    }

    func cancel() {
        let channels = state.withLock { state in
            state.isCancelled = true
            defer { state.channels = [] }
            return state.channels
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
