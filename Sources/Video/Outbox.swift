import Dispatch
import Synchronization

/// From one task to one thread: the task suspends when it is full, the thread blocks when it is empty.
final class Outbox<Element: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Void, any Error>

    private struct State {
        var elements: [Element] = []
        /// A task whose element found no place.
        var waiter: (Waiter, Element)?
        var closed: (any Error)?
    }

    private let state = Mutex(State())
    private let filled = DispatchSemaphore(value: 0)
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// One writer at a time.
    /// - Parameter onCancel: when the waiting task is cancelled; is to call `close`.
    func put(_ element: Element, onCancel: @escaping @Sendable () -> Void) async throws {
        try Task.checkCancellation()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Waiter) in
                let done = state.withLock { state -> Result<Void, any Error>? in
                    if let error = state.closed { return .failure(error) }
                    if state.elements.count < capacity {
                        state.elements.append(element)
                        return .success(())
                    }
                    if state.waiter != nil { return .failure(VideoError("two tasks write to the same video")) }
                    state.waiter = (continuation, element)
                    return nil
                }
                guard let done else { return }
                if case .success = done { filled.signal() }
                continuation.resume(with: done)
            }
        } onCancel: {
            onCancel()
        }
    }

    /// The next element; blocks the thread. Nil: closed.
    func take() -> Element? {
        filled.wait()
        let (element, moved) = state.withLock { state -> (Element?, Waiter?) in
            guard state.closed == nil, !state.elements.isEmpty else { return (nil, nil) }
            let element = state.elements.removeFirst()
            guard let (continuation, next) = state.waiter.take() else { return (element, nil) }
            state.elements.append(next)
            return (element, continuation)
        }
        if let moved {
            filled.signal()
            moved.resume()
        }
        return element
    }

    /// Drops what is held; who waits or comes later throws `error`.
    func close(_ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.closed == nil else { return nil }
            state.closed = error
            state.elements = []
            return state.waiter.take()?.0
        }
        filled.signal()
        waiter?.resume(throwing: error)
    }
}
