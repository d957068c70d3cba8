import NIOCore
import Synchronization

/// A unary call that has begun, and whose answer can be waited for more than once: until a time, and then as long as it takes. So
/// a call that may want a second attempt beside it needs no task and no timer of its own while it does not.
///
/// Whoever begins one waits for its end.
final class PendingUnary: Sendable {
    enum News: Sendable {
        case ended(Result<UnaryResponse, RPCError>)
        /// Its time has come, and it still runs. Said once.
        case due
    }

    private struct State {
        var news: News?
        var waiter: CheckedContinuation<News, Never>?
    }

    private let inbox: LoopInbox<ClientConnection>
    private let call: ClientStream
    private let state = Mutex(State())

    init(_ call: ClientStream, _ inbox: LoopInbox<ClientConnection>) {
        self.call = call
        self.inbox = inbox
    }

    /// Only from the task that began it, or one that it is left to. When that is cancelled, so is the call.
    func next() async -> News {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> News? in
                    guard let news = state.news.take() else {
                        state.waiter = continuation
                        return nil
                    }
                    return news
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            inbox.submit(.cancel(call))
        }
    }

    /// On the loop: the call has ended, or `due` has come. An end that comes before `due` was heard takes its place.
    func tell(_ news: News) {
        let waiter = state.withLock { state -> CheckedContinuation<News, Never>? in
            guard let waiter = state.waiter.take() else {
                state.news = news
                return nil
            }
            return waiter
        }
        waiter?.resume(returning: news)
    }
}

extension RPCConnection {
    /// As `unary`, without the wait.
    /// - Parameter due: when `PendingUnary.next` tells that it has come.
    func begin(
        _ path: String, _ request: Payload, options: CallOptions, due: NIODeadline?
    ) throws -> PendingUnary {
        try request.checkLengths()
        try checkPrivacy(options)
        let request = try request.deflated(as: options.compression)
        let call = ClientStream(path: path, options: options)
        let pending = PendingUnary(call, inbox)
        call.due = due
        inbox.submit(.start(call, .unary(request, .pending(pending))))
        return pending
    }
}
