import DequeModule
import Synchronization

/// Spans that wait to be sent, so many and no more.
final class SpanQueue: Sendable {
    private struct State {
        var spans: Deque<FinishedSpan> = []
        var isClosed = false
        /// Of whoever waits for more.
        var nap: Task<Void, Never>?
    }

    private let limit: Int
    private let batch: Int
    private let state = Mutex(State())

    init(limit: Int, batch: Int) {
        self.limit = limit
        self.batch = batch
    }

    /// - Returns: false: there is no room.
    func add(_ span: FinishedSpan) -> Bool {
        let (isTaken, nap) = state.withLock { state -> (Bool, Task<Void, Never>?) in
            guard state.spans.count < limit, !state.isClosed else { return (false, nil) }
            state.spans.append(span)
            return (true, state.spans.count >= batch ? state.nap.take() : nil)
        }
        nap?.cancel()
        return isTaken
    }

    /// The next ones: at once when there are enough of them, else those that are there after `interval`. Empty: it is closed.
    func next(within interval: Duration) async -> [FinishedSpan] {
        while true {
            let nap = Task { _ = try? await Task.sleep(for: interval) }
            let waits = state.withLock { state in
                guard !state.isClosed, state.spans.count < batch else { return false }
                state.nap = nap
                return true
            }
            if waits {
                await withTaskCancellationHandler {
                    await nap.value
                } onCancel: {
                    nap.cancel()
                }
            }
            nap.cancel()
            let (spans, isClosed) = state.withLock { state in
                state.nap = nil
                let spans = Array(state.spans.prefix(batch))
                state.spans.removeFirst(spans.count)
                return (spans, state.isClosed)
            }
            if !spans.isEmpty || isClosed || Task.isCancelled { return spans }
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// No more come; whoever waits gets those that are there.
    func close() {
        let nap = state.withLock { state in
            state.isClosed = true
            return state.nap.take()
        }
        nap?.cancel()
    }

    /// Those that nobody will send. - Returns: how many.
    func abandon() -> Int {
        state.withLock { state in
            defer { state.spans.removeAll() }
            return state.spans.count
        }
    }
}
