import DequeModule
import Synchronization

/// One element between those who have it and the one who takes it: the newest replaces the one that waits, or its giver
/// waits too.
package final class HandOver<Element: Sendable>: Sendable {
    private typealias Taker = CheckedContinuation<Element?, Never>
    private typealias Giver = CheckedContinuation<Placement, Never>

    /// What `place` comes to.
    package enum Placement: Sendable {
        /// It is taken, or the next to be.
        case placed
        /// As many wait as may.
        case noPlace
        /// Nobody takes any more, or the task was cancelled.
        case over
    }

    /// What `replace` comes to.
    package enum Replacement: Sendable {
        /// It is taken, or the next to be.
        case placed
        /// The same, in the place of this one, which is not taken any more.
        case instead(of: Element)
        /// Nobody takes any more.
        case over
    }

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

    private enum Step {
        case give(Taker, Element)
        case done(Placement)
        case wait
    }

    private enum Ready {
        case element(Element, Giver?)
        case end, later
    }

    private let state = Mutex(State())

    package init() {}

    /// Does not wait.
    /// - Parameter stamp: is called once the element is the next one, in the order in which elements are taken.
    package func replace(_ element: Element, stamp: (inout Element) -> Void = { _ in }) -> Replacement {
        let (taker, stamped, outcome) = state.withLock { state -> (Taker?, Element, Replacement) in
            var element = element
            if state.isOver { return (nil, element, .over) }
            stamp(&element)
            if let taker = state.taker.take() { return (taker, element, .placed) }
            let older = state.element
            state.element = element
            return (nil, element, older.map { .instead(of: $0) } ?? .placed)
        }
        taker?.resume(returning: stamped)
        return outcome
    }

    /// Waits for its turn.
    /// - Parameters:
    ///   - places: for those who wait.
    ///   - stamp: is called once the element has its turn, in the order in which elements are taken; not without a place.
    package func place(
        _ element: Element, places: Int, stamp: (inout Element) -> Void = { _ in }
    ) async -> Placement {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { (giver: Giver) in
                let step = state.withLock { state -> Step in
                    if state.isOver || Task.isCancelled { return .done(.over) }
                    var element = element
                    if let taker = state.taker.take() {
                        stamp(&element)
                        return .give(taker, element)
                    }
                    if state.element == nil {
                        stamp(&element)
                        state.element = element
                        return .done(.placed)
                    }
                    guard state.givers.count < places else { return .done(.noPlace) }
                    stamp(&element)
                    state.givers.append(Waiting(number: number, element: element, giver: giver))
                    return .wait
                }
                switch step {
                case .give(let taker, let element):
                    taker.resume(returning: element)
                    giver.resume(returning: .placed)
                case .done(let placement): giver.resume(returning: placement)
                case .wait: break
                }
            }
        } onCancel: {
            let giver = state.withLock { state in
                state.givers.firstIndex { $0.number == number }.map { state.givers.remove(at: $0).giver }
            }
            giver?.resume(returning: .over)
        }
    }

    /// The next one; nil when nothing comes any more, and when the task is cancelled. One task at a time.
    package func take() async -> Element? {
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
                    giver?.resume(returning: .placed)
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
    /// - Returns: what waits.
    @discardableResult package func discard() -> Element? {
        finish()
        return state.withLock { $0.element.take() }
    }

    /// Nothing comes any more after what waits.
    package func finish() {
        let (taker, givers) = state.withLock { state in
            state.isOver = true
            defer { state.givers = [] }
            return (state.taker.take(), state.givers)
        }
        taker?.resume(returning: nil)
        for waiting in givers { waiting.giver.resume(returning: .over) }
    }
}
