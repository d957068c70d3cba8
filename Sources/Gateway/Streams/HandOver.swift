import DequeModule
import Synchronization

/// One element between those who have it and the one who takes it: the newest replaces the one that waits, or its giver
/// waits too.
final class HandOver<Element: Sendable>: Sendable {
    private typealias Taker = CheckedContinuation<Element?, Never>
    private typealias Giver = CheckedContinuation<Bool, Never>

    private struct Waiting {
        var number: UInt64
        var element: Element
        var giver: Giver
    }

    private struct State {
        var element: Element?
        var taker: Taker?
        var givers = Deque<Waiting>()
        var number: UInt64 = 0
        var isOver = false
    }

    private enum Placed {
        case taken(Taker)
        case kept, refused, waits
    }

    private enum Ready {
        case element(Element, Giver?)
        case end, later
    }

    private let state = Mutex(State())

    /// - Returns: the one that waited and is not taken any more.
    func replace(_ element: Element) -> Element? {
        let (taker, replaced) = state.withLock { state -> (Taker?, Element?) in
            if state.isOver { return (nil, element) }
            if let taker = state.taker.take() { return (taker, nil) }
            defer { state.element = element }
            return (nil, state.element)
        }
        taker?.resume(returning: element)
        return replaced
    }

    /// Waits for its turn.
    /// - Parameter places: for those who wait.
    /// - Returns: false if it is not taken: there is no place, nobody takes any more, or the task was cancelled.
    func place(_ element: Element, places: Int) async -> Bool {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (giver: Giver) in
                let outcome = state.withLock { state -> Placed in
                    if state.isOver || Task.isCancelled { return .refused }
                    if let taker = state.taker.take() { return .taken(taker) }
                    if state.element == nil {
                        state.element = element
                        return .kept
                    }
                    guard state.givers.count < places else { return .refused }
                    state.givers.append(Waiting(number: number, element: element, giver: giver))
                    return .waits
                }
                switch outcome {
                case .taken(let taker):
                    taker.resume(returning: element)
                    giver.resume(returning: true)
                case .kept: giver.resume(returning: true)
                case .refused: giver.resume(returning: false)
                case .waits: break
                }
            }
        } onCancel: {
            let giver = state.withLock { state in
                state.givers.firstIndex { $0.number == number }.map { state.givers.remove(at: $0).giver }
            }
            giver?.resume(returning: false)
        }
    }

    /// The next one; nil when nothing comes any more, and when the task is cancelled. One task at a time.
    func take() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (taker: Taker) in
                let ready = state.withLock { state -> Ready in
                    if Task.isCancelled { return .end }
                    guard let element = state.element.take() else {
                        if state.isOver { return .end }
                        state.taker = taker
                        return .later
                    }
                    let next = state.givers.popFirst()
                    state.element = next?.element
                    return .element(element, next?.giver)
                }
                switch ready {
                case .element(let element, let giver):
                    giver?.resume(returning: true)
                    taker.resume(returning: element)
                case .end: taker.resume(returning: nil)
                case .later: break
                }
            }
        } onCancel: {
            state.withLock { $0.taker.take() }?.resume(returning: nil)
        }
    }

    /// Nothing comes any more, and what waits is not taken.
    func discard() {
        finish()
        // It goes outside the lock: whoever hears of that may come back.
        _ = state.withLock { $0.element.take() }
    }

    /// Nothing comes any more after what waits.
    func finish() {
        let (taker, givers) = state.withLock { state in
            state.isOver = true
            defer { state.givers = [] }
            return (state.taker.take(), state.givers)
        }
        taker?.resume(returning: nil)
        for waiting in givers { waiting.giver.resume(returning: false) }
    }
}
