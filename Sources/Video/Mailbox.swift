import Dispatch
import Synchronization

/// From one thread to one task: the thread blocks when it is full, the task suspends when it is empty.
final class Mailbox<Element: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Element?, any Error>

    private struct State {
        var elements: [Element] = []
        var waiter: Waiter?
        /// Set once: what comes after the last element.
        var ending: Result<Void, any Error>?
        var cancelled = false
    }

    private let state = Mutex(State())
    private let places = DispatchSemaphore(value: 0)

    /// - Parameter capacity: elements that are held, reserved places included.
    init(capacity: Int) {
        for _ in 0..<capacity { places.signal() }
    }

    /// Waits for a place; blocks the thread. False: nobody reads any more.
    func reserve() -> Bool {
        places.wait()
        return !state.withLock { $0.cancelled }
    }

    /// Puts an element into the reserved place.
    func put(_ element: Element) {
        let waiter = state.withLock { state -> Waiter? in
            guard !state.cancelled else { return nil }
            if let waiter = state.waiter.take() { return waiter }
            state.elements.append(element)
            return nil
        }
        guard let waiter else { return }
        places.signal()
        waiter.resume(returning: element)
    }

    /// The last element is in, or an error comes after it.
    func finish(_ ending: Result<Void, any Error>) {
        let waiter = state.withLock { state -> Waiter? in
            if state.ending == nil { state.ending = ending }
            return state.waiter.take()
        }
        waiter?.resume(with: ending.map { nil })
    }

    /// Nobody reads any more: what is held is dropped, a reader that waits throws `error`.
    func cancel(_ error: any Error) {
        let waiter = state.withLock { state -> Waiter? in
            guard !state.cancelled else { return nil }
            state.cancelled = true
            state.elements = []
            if state.ending == nil { state.ending = .failure(error) }
            return state.waiter.take()
        }
        places.signal()
        waiter?.resume(throwing: error)
    }

    /// The next element; nil after the last. One reader at a time.
    /// - Parameter onCancel: when the waiting task is cancelled; is to call `cancel`.
    func take(onCancel: @escaping @Sendable () -> Void) async throws -> Element? {
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: Waiter) in
                guard let ready = state.withLock({ Self.next(&$0, continuation) }) else { return }
                if case .success(.some) = ready { places.signal() }
                continuation.resume(with: ready)
            }
        } onCancel: {
            onCancel()
        }
    }

    /// What there is at once; nil if the continuation was kept.
    private static func next(_ state: inout State, _ continuation: Waiter) -> Result<Element?, any Error>? {
        if !state.elements.isEmpty { return .success(state.elements.removeFirst()) }
        if let ending = state.ending { return ending.map { nil } }
        if state.waiter != nil { return .failure(VideoError("two tasks wait for the same video")) }
        state.waiter = continuation
        return nil
    }
}
