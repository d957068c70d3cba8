import DequeModule
import Messages
import Synchronization

/// How much a client may have sent without an answer.
struct InFlightLimits: Sendable {
    var frames: Int
    /// Of what is kept until the answer comes; one frame may always be on its way.
    var keptBytes: Int

    /// More than the 16 that a coordinator runs of a stream, so that it never waits for us.
    static let lossless = InFlightLimits(frames: 32, keptBytes: 256 << 20)
    /// Frames that are dropped are answered behind those that run.
    static let live = InFlightLimits(frames: 1024, keptBytes: 256 << 20)
}

/// The frames of one stream between sending and answer, in order; each leaves with its answer exactly once.
///
/// Three tasks meet here: one sends (`room`, `append`, `finish`), one receives (`resolve`, `answersEnded`), one takes
/// (`next`).
final class InFlight<Kept: Sendable>: Sendable {
    struct Answered: Sendable {
        var response: AnalyzeResponse
        var kept: Kept
    }

    private struct Entry {
        var sequence: UInt64
        var kept: Kept
        var bytes: Int
        var response: AnalyzeResponse?
    }

    private struct State {
        var entries = Deque<Entry>()
        var bytes = 0
        var sent: UInt64 = 0
        var noMoreFrames = false
        var noMoreAnswers = false
        /// Why sending ended early; told once all that was sent is answered.
        var sendingFailure: (any Error)?
        var receivingFailure: (any Error)?
    }

    private let limits: InFlightLimits
    private let state = Mutex(State())
    private let roomNudges = Nudge()
    private let answerNudges = Nudge()

    init(_ limits: InFlightLimits) { self.limits = limits }

    // ---- the sender ----

    /// Waits until another frame may be sent.
    /// - Throws: `CancellationError`.
    func room() async throws {
        while !state.withLock({
            $0.entries.count < limits.frames && ($0.bytes < limits.keptBytes || $0.entries.isEmpty)
        }) {
            try await roomNudges.wait()
        }
        try Task.checkCancellation()
    }

    /// - Parameters:
    ///   - bytes: that `kept` holds in memory.
    ///   - refusal: the answer of a frame that is not sent at all, in its place among the others.
    func append(_ sequence: UInt64, keeping kept: Kept, bytes: Int, refusal: AnalyzeResponse? = nil) {
        state.withLock { state in
            state.entries.append(Entry(sequence: sequence, kept: kept, bytes: bytes, response: refusal))
            state.bytes += bytes
            state.sent += 1
        }
        if refusal != nil { answerNudges.signal() }
    }

    /// No more frames.
    func finish(_ failure: (any Error)? = nil) {
        state.withLock { state in
            state.noMoreFrames = true
            state.sendingFailure = failure
        }
        answerNudges.signal()
    }

    // ---- the receiver ----

    /// - Throws: `Fatal` if this is not the answer of the next frame in order.
    func resolve(_ response: AnalyzeResponse) throws {
        try state.withLock { state throws(Fatal) in
            guard let index = state.entries.firstIndex(where: { $0.response == nil }) else {
                throw Fatal("the coordinator answered frame \(response.sequence), which was not sent")
            }
            guard state.entries[index].sequence == response.sequence else {
                throw Fatal(
                    "the coordinator answered frame \(response.sequence) when it was the turn of frame "
                        + "\(state.entries[index].sequence)")
            }
            state.entries[index].response = response
        }
        answerNudges.signal()
    }

    func answersEnded(_ failure: (any Error)? = nil) {
        state.withLock { state in
            state.noMoreAnswers = true
            state.receivingFailure = failure
        }
        answerNudges.signal()
    }

    // ---- the taker ----

    /// The next frame in order with its answer; nil once all were answered.
    /// - Throws: why frames stay unanswered, or why sending ended early.
    func next() async throws -> Answered? {
        while true {
            if let answered = pop() {
                roomNudges.signal()
                return answered
            }
            let isAtEnd = try state.withLock { state in
                if state.noMoreAnswers {
                    if let failure = state.receivingFailure ?? state.sendingFailure { throw failure }
                    guard state.entries.isEmpty, state.noMoreFrames else {
                        throw Fatal(
                            "the coordinator ended the stream with \(state.entries.count) of \(state.sent) frames unanswered"
                        )
                    }
                }
                guard state.noMoreFrames, state.entries.isEmpty else { return false }
                if let failure = state.sendingFailure { throw failure }
                return true
            }
            if isAtEnd { return nil }
            try await answerNudges.wait()
        }
    }

    private func pop() -> Answered? {
        state.withLock { state in
            guard let response = state.entries.first?.response, let entry = state.entries.popFirst() else { return nil }
            state.bytes -= entry.bytes
            return Answered(response: response, kept: entry.kept)
        }
    }
}

/// Wakes one waiting task; a signal that nobody waits for yet is kept.
private struct Nudge: Sendable {
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
