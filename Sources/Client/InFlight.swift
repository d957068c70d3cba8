import DequeModule
package import Messages
import NIOCore
import Synchronization

/// How much a client may have sent without an answer.
package struct InFlightLimits: Sendable {
    package var frames: Int
    /// Of frames, and of what is kept with them until the answer comes; one frame may always be on its way.
    package var bytes: Int

    package init(frames: Int, bytes: Int) {
        self.frames = frames
        self.bytes = bytes
    }

    /// More than the 16 that a coordinator runs of a stream, so that it never waits for us.
    package static let lossless = InFlightLimits(frames: 32, bytes: 256 << 20)
    /// Frames that are dropped are answered behind those that run.
    package static let live = InFlightLimits(frames: 1024, bytes: 256 << 20)
}

/// The frames of one stream between their source and their answer, in order; each leaves with its answer exactly once,
/// over however many connections it was sent.
///
/// Four tasks meet here: one reads the source (`room`, `append`, `sent`, `finish`), one sends (`unsent`, `wasSent`), one
/// receives (`resolve`, `answersEnded`), one takes (`next`). When a connection is lost, `rewind` begins the next one:
/// what has no answer is to be sent again.
final class InFlight<Kept: Sendable>: Sendable {
    struct Answered: Sendable {
        var response: AnalyzeResponse
        var kept: Kept
    }

    private struct Entry {
        var sequence: UInt64
        /// nil: not to be sent.
        var request: AnalyzeRequest?
        var kept: Kept
        var bytes: Int
        var response: AnalyzeResponse?
    }

    private struct State {
        var entries = Deque<Entry>()
        /// Entries that have left; the first of `entries` is number `left`.
        var left = 0
        /// Number of the entry to send next.
        var sending = 0
        /// The sender has handed over all entries before this one.
        var handedOver = 0
        /// Which connection sends.
        var connection = 0
        var bytes = 0
        var noMoreFrames = false
        var noMoreAnswers = false
        /// Why the source ended early; told once all that it gave is answered.
        var sourceFailure: (any Error)?
        var receivingFailure: (any Error)?

        var end: Int { left + entries.count }
        var firstUnanswered: Int { left + (entries.firstIndex { $0.response == nil } ?? entries.count) }
    }

    private let limits: InFlightLimits
    private let state = Mutex(State())
    private let roomNudges = Nudge()
    private let frameNudges = Nudge()
    private let sentNudges = Nudge()
    private let answerNudges = Nudge()

    init(_ limits: InFlightLimits) { self.limits = limits }

    // ---- the source ----

    /// Waits until another frame may come.
    /// - Throws: `CancellationError`.
    func room() async throws {
        while !state.withLock({
            $0.entries.count < limits.frames && ($0.bytes < limits.bytes || $0.entries.isEmpty)
        }) {
            try await roomNudges.wait()
        }
        try Task.checkCancellation()
    }

    /// - Parameter bytes: that `kept` holds in memory beside the frame.
    func append(_ request: AnalyzeRequest, keeping kept: Kept, bytes: Int) {
        append(
            Entry(
                sequence: request.frame.sequence, request: request, kept: kept,
                bytes: bytes + request.frame.payload.bytes.readableBytes))
    }

    /// A frame that is not sent at all, with its answer, in its place among the others.
    func append(refused response: AnalyzeResponse, keeping kept: Kept) {
        append(Entry(sequence: response.sequence, kept: kept, bytes: 0, response: response))
        answerNudges.signal()
    }

    private func append(_ entry: Entry) {
        state.withLock { state in
            state.entries.append(entry)
            state.bytes += entry.bytes
        }
        frameNudges.signal()
    }

    /// Waits until all that was appended has been sent: the coordinator's pace is that of the source.
    /// - Throws: `CancellationError`.
    func sent() async throws {
        while !state.withLock({ $0.handedOver >= $0.end || $0.noMoreAnswers }) { try await sentNudges.wait() }
        try Task.checkCancellation()
    }

    /// No more frames.
    func finish(_ failure: (any Error)? = nil) {
        state.withLock { state in
            state.noMoreFrames = true
            state.sourceFailure = failure
        }
        frameNudges.signal()
        answerNudges.signal()
    }

    // ---- the sender ----

    /// A new connection sends: from the first frame that has no answer. The sender of the one before gets no more.
    /// - Returns: the number of the connection, and how many frames it will send for the second time.
    func rewind() -> (connection: Int, again: Int) {
        let begun = state.withLock { state in
            state.connection += 1
            let again = state.entries.prefix(max(0, state.sending - state.left)).count { $0.request != nil }
            state.sending = state.firstUnanswered
            state.handedOver = min(state.handedOver, state.sending)
            return (state.connection, again)
        }
        frameNudges.signal()
        return begun
    }

    /// The next frame to send; waits for it.
    /// - Returns: nil after the last one, and when another connection sends.
    func unsent(on connection: Int) async throws -> AnalyzeRequest? {
        while true {
            let (request, isOver) = state.withLock { state in
                guard state.connection == connection, !state.noMoreAnswers else {
                    return (AnalyzeRequest?.none, true)
                }
                // A refused one may have left before its turn.
                state.sending = max(state.sending, state.left)
                while state.sending < state.end {
                    let request = state.entries[state.sending - state.left].request
                    state.sending += 1
                    if request != nil { return (request, false) }
                }
                state.handedOver = state.sending
                return (nil, state.noMoreFrames)
            }
            if request != nil { return request }
            sentNudges.signal()
            if isOver { return nil }
            try await frameNudges.wait()
        }
    }

    /// What `unsent` gave was sent.
    func wasSent(on connection: Int) {
        state.withLock { state in if state.connection == connection { state.handedOver = state.sending } }
        sentNudges.signal()
    }

    /// The connection is lost: its sender gets no more, and nobody sends until `rewind`.
    func lost() {
        state.withLock { $0.connection += 1 }
        frameNudges.signal()
    }

    // ---- the receiver ----

    /// - Throws: `ClientError` if this is not the answer of the next frame in order.
    func resolve(_ response: AnalyzeResponse) throws {
        try state.withLock { state throws(ClientError) in
            let number = state.firstUnanswered
            guard number < state.sending else {
                throw ClientError(
                    "the coordinator answered frame \(response.sequence), which was not sent", .outOfOrder)
            }
            let index = number - state.left
            guard state.entries[index].sequence == response.sequence else {
                throw ClientError(
                    "the coordinator answered frame \(response.sequence) when it was the turn of frame "
                        + "\(state.entries[index].sequence)", .outOfOrder)
            }
            state.entries[index].response = response
            state.entries[index].request = nil
        }
        answerNudges.signal()
    }

    /// No more answers, over no connection.
    func answersEnded(_ failure: (any Error)? = nil) {
        state.withLock { state in
            state.noMoreAnswers = true
            state.receivingFailure = failure
        }
        frameNudges.signal()
        sentNudges.signal()
        answerNudges.signal()
    }

    /// All frames there will be were answered.
    var isDone: Bool { state.withLock { $0.noMoreFrames && $0.firstUnanswered == $0.end } }

    /// Frames that were answered so far.
    var answered: Int { state.withLock { $0.firstUnanswered } }

    // ---- the taker ----

    /// The next frame in order with its answer; nil once all were answered.
    /// - Throws: why frames stay unanswered, or why the source ended early.
    func next() async throws -> Answered? {
        while true {
            if let answered = pop() {
                roomNudges.signal()
                return answered
            }
            let isAtEnd = try state.withLock { state in
                if state.noMoreAnswers {
                    if let failure = state.receivingFailure ?? state.sourceFailure { throw failure }
                    guard state.entries.isEmpty, state.noMoreFrames else {
                        throw ClientError(
                            "the coordinator ended the stream with \(state.entries.count) of \(state.end) frames unanswered",
                            .refused)
                    }
                }
                guard state.noMoreFrames, state.entries.isEmpty else { return false }
                if let failure = state.sourceFailure { throw failure }
                return true
            }
            if isAtEnd { return nil }
            try await answerNudges.wait()
        }
    }

    private func pop() -> Answered? {
        state.withLock { state in
            guard let response = state.entries.first?.response, let entry = state.entries.popFirst() else { return nil }
            state.left += 1
            state.bytes -= entry.bytes
            return Answered(response: response, kept: entry.kept)
        }
    }
}
