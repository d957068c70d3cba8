import DequeModule
import NIOCore
import Synchronization

/// A `StreamWindow` that tasks wait at: one reader offers frames, tasks run them, one writer takes the answers.
final class StreamQueue<Work: Sendable, Answer: Sendable>: Sendable {
    typealias Window = StreamWindow<Work, Answer>
    typealias Sleeper = CheckedContinuation<Void, Never>

    private struct State {
        var window: Window
        /// Those that may run, until their tasks take them.
        var started = Deque<Window.Running>()
        /// No more frames will come.
        var isClosed = false
        /// The client is gone: nobody waits any more.
        var isCancelled = false
        var reader: Sleeper?
        var writer: Sleeper?

        /// Those whose wait is over.
        mutating func wake() -> (Sleeper?, Sleeper?) {
            var woken: (Sleeper?, Sleeper?)
            if isCancelled || window.hasRoom { swap(&woken.0, &reader) }
            if isCancelled || window.hasAnswer || isDone { swap(&woken.1, &writer) }
            return woken
        }

        var isDone: Bool { isClosed && window.unanswered == 0 }
    }

    private let state: Mutex<State>
    /// Whoever would run the next frame has enough to do.
    private let isBusy: @Sendable () -> Bool

    init(_ window: Window, isBusy: @escaping @Sendable () -> Bool = { false }) {
        state = Mutex(State(window: window))
        self.isBusy = isBusy
    }

    /// Changes the state, then wakes whom it concerns.
    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, woken) = state.withLock { state in
            let result = body(&state)
            return (result, state.wake())
        }
        woken.0?.resume()
        woken.1?.resume()
        return result
    }

    /// Takes a frame. The caller has waited for `room`.
    /// - Returns: whether a frame may start; then a new task calls `takeStarted`. It is not handed over directly, because
    ///   a task keeps what it is made with to its end, which may be many frames away.
    func accept(_ work: Work, expires: UInt64) -> Bool {
        change { state in
            state.window.accept(work, expires: expires)
            guard let run = start(&state) else { return false }
            state.started.append(run)
            return true
        }
    }

    /// A frame that `accept` said may start.
    func takeStarted() -> Window.Running? { change { $0.started.popFirst() } }

    /// Gives the answer of a frame that ran.
    /// - Returns: the frame to run next, if there is one.
    func finish(_ run: Window.Running, _ answer: Answer) -> Window.Running? {
        change { state in
            state.window.finish(run, answer)
            return state.isCancelled ? nil : start(&state)
        }
    }

    private func start(_ state: inout State) -> Window.Running? {
        state.window.start(now: NIODeadline.now().uptimeNanoseconds, isBusy: isBusy)
    }

    /// Waits until the next frame may come.
    func room() async {
        await withCheckedContinuation { (continuation: Sleeper) in
            change { $0.reader = continuation }
        }
    }

    /// The next answer in order; nil after the last one, and as soon as the stream is cancelled.
    func nextAnswer() async -> Answer? {
        while true {
            let (answer, isOver) = change { state in
                (state.isCancelled ? nil : state.window.popAnswer(), state.isCancelled || state.isDone)
            }
            if let answer { return answer }
            if isOver { return nil }
            await withCheckedContinuation { (continuation: Sleeper) in
                change { $0.writer = continuation }
            }
        }
    }

    /// Takes away the frames that were accepted and whose answers nobody has taken, once nothing runs any more.
    func abandon() -> (waiting: [Work], answers: [Answer]) { state.withLock { $0.window.abandon() } }

    /// No more frames; those accepted are still answered.
    func close() { change { $0.isClosed = true } }

    /// Nothing more starts, nobody waits.
    func cancel() { change { $0.isCancelled = true } }
}
