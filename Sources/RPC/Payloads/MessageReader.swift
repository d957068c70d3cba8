import NIOCore

/// The receiving half of one stream: parses messages, reserves memory for them, and says when the peer gets credit.
///
/// A peer may always have a window of bytes on the way. A message larger than half a window is credited early, as soon
/// as memory is reserved for it, up to that half; the rest is credited when its consumer takes it. So a message of any
/// size fits, and at most two large ones wait for a slow consumer. What comes before memory is granted stays within the
/// window, as does what comes while other messages of the connection are received (`LargeIntake`). What waits otherwise is
/// counted (`countWaiting`): beyond that window, where the stream opened with a wider one (`LoneWindow`), and messages that are
/// too small to be reserved for, while their consumer takes none. A value; its owner acts on the outputs until there is none.
struct MessageReader {
    enum Output {
        case message(Payload, credit: Int)
        /// Let the peer send so many bytes more.
        case credit(Int)
        /// No memory now: wait for so many bytes, then call `granted`.
        case park(Int)
        /// Other messages come first: wait for the turn, then call `turnCame`.
        case queue
        /// The peer has sent all its messages.
        case end
        case failed(RPCError)
    }

    private var parser: MessageParser
    private let windowBytes: Int
    private var input = ByteBuffer()
    private var isParked = false
    /// `input` is what `holdBack` has copied, and what came behind it.
    private var isInputCopied = false
    /// `input` is not the receive buffer, but as large as the window that is held.
    private var parkedInput: MemoryBudget.Window?
    /// For each further step of bytes that waits in `input`.
    private var furtherInput: [MemoryBudget.Window] = []
    static let stepBytes = 32 << 10
    private var hasEnded = false
    private var isDone = false
    private var lease: MemoryBudget.Lease?
    private var isNext = false
    private var part: LargeIntake.Part?
    let share: MemoryShare?
    private let maxEmptyMessages: Int
    /// Without a byte, one after the other: they cost a peer five bytes each, and no window.
    private var emptyMessages = 0
    private var wireBytes = 0
    private var credited = 0

    /// - Parameter share: of the memory budget, that the messages are to fit in.
    init(parser: MessageParser, windowBytes: Int, maxEmptyMessages: Int = .max, share: MemoryShare? = nil) {
        self.share = share
        self.maxEmptyMessages = maxEmptyMessages
        self.parser = parser
        self.windowBytes = windowBytes
    }

    /// All bytes of the stream so far, while a message is half read and we do not hold it up.
    var bytesInMessage: Int? { isParked || isDone || parser.isBetweenMessages ? nil : receivedBytes }
    /// All bytes of the stream so far, until its end has come.
    var bytesBeforeEnd: Int? { hasEnded ? nil : receivedBytes }
    private var receivedBytes = 0
    /// The first message has begun, or there is none.
    var hasBegun: Bool { receivedBytes > 0 || hasEnded }
    /// For the message that is half read.
    var reservedBytes: Int { lease?.bytes ?? 0 }

    mutating func receive(_ data: ByteBuffer) {
        receivedBytes += data.readableBytes
        if isParked || input.readableBytes > 0 {
            input.writeImmutableBuffer(data)
        } else {
            input = data
            isInputCopied = false
        }
    }

    /// Where the bytes belong that `receive` is given next, at most `count` of them; nil: they may lie anywhere.
    func room(upTo count: Int) -> ByteBuffer? {
        isParked || isDone || input.readableBytes > 0 ? nil : parser.room(upTo: count)
    }

    /// Its owner asks for no output for a while. What came stays, but not the receive buffer around it.
    ///
    /// What was copied is copied again only when a quarter of it was taken: the owner may have room for a few short
    /// messages at a time, of a window of thousands.
    mutating func holdBack() {
        let isCopied = isInputCopied && parkedInput == nil
        parkedInput = nil
        guard !isCopied || input.readerIndex > input.readableBytes / 4 else { return }
        input = input.readableBytes > 0 ? ByteBuffer(bytes: input.readableBytesView) : ByteBuffer()
        isInputCopied = true
    }

    /// Counts what waits beyond the window that is held, if one is. To be asked when there is no output.
    /// - Returns: too much waits; the reader is at its end.
    mutating func countWaiting(_ budget: MemoryBudget) -> RPCError? {
        let (held, step) = (parkedInput == nil ? 0 : windowBytes, min(windowBytes, Self.stepBytes))
        while input.readableBytes > held + furtherInput.count * step {
            guard let window = budget.holdWindow(step, in: share) else {
                let error = Self.tooMuchWaits(budget)
                _ = fail(error)
                return error
            }
            furtherInput.append(window)
        }
        return nil
    }

    mutating func receiveEnd() { hasEnded = true }

    mutating func granted(_ lease: MemoryBudget.Lease) {
        guard isParked else { return }
        isParked = false
        self.lease = lease
    }

    mutating func turnCame() {
        guard isParked, lease == nil else { return }
        isParked = false
        isNext = true
    }

    mutating func next(_ budget: MemoryBudget, _ intake: LargeIntake) -> Output? {
        while !isParked, !isDone {
            let before = input.readableBytes
            let step = parser.next(&input)
            part?.received(before - input.readableBytes)
            switch step {
            case .needsMore: return outOfInput()
            case .sized(let body, let prefix):
                wireBytes = body + prefix
                emptyMessages = body == 0 ? emptyMessages + 1 : 0
                guard emptyMessages <= maxEmptyMessages else {
                    return fail(
                        RPCError(
                            .resourceExhausted, "more than \(maxEmptyMessages) empty messages in a row",
                            limit: .emptyMessages))
                }
                if part == nil, wireBytes > windowBytes {
                    part = intake.begin(bytes: body, isNext: isNext)
                    isNext = false
                    if part == nil { return park(.queue, budget) }
                }
                if lease == nil, body >= MemoryBudget.smallestReservation {
                    guard body <= budget.limit else {
                        return fail(
                            RPCError(
                                .resourceExhausted, "message size \(body) exceeds the memory budget \(budget.limit)",
                                limit: .memoryBudget))
                    }
                    lease = budget.reserve(body, in: share)
                    if lease == nil { return park(.park(body), budget) }
                }
                do throws(RPCError) { try parser.begin() } catch { return fail(error) }
                credited = max(0, wireBytes - windowBytes / 2)
                if credited > 0 { return .credit(credited) }
            case .message(var payload):
                payload.lease = lease.take()
                part = nil
                return .message(payload, credit: wireBytes - credited)
            case .failed(let error): return fail(error)
            }
        }
        return nil
    }

    private mutating func outOfInput() -> Output? {
        // Lets the receive buffer go.
        letInputGo()
        guard hasEnded else { return nil }
        guard parser.isBetweenMessages else {
            return fail(RPCError(.internal, "stream ended inside a message", limit: .malformedCall))
        }
        isDone = true
        return .end
    }

    private mutating func park(_ output: Output, _ budget: MemoryBudget) -> Output {
        // Memory of its own, so that the receive buffer is not held for long.
        if parkedInput == nil {
            parkedInput = budget.holdWindow(windowBytes, in: share)
            guard parkedInput != nil else { return fail(Self.tooMuchWaits(budget)) }
            guard var own = ByteBuffer.pooled(capacity: windowBytes) else {
                return fail(Self.noMemory(for: windowBytes))
            }
            own.writeBuffer(&input)
            input = own
        }
        isParked = true
        return output
    }

    private static func tooMuchWaits(_ budget: MemoryBudget) -> RPCError {
        RPCError(
            .resourceExhausted, "too many messages wait for memory, \(budget.waitingBytes) bytes of them",
            limit: .memoryBudget)
    }

    static func noMemory(for bytes: Int) -> RPCError {
        RPCError(
            .resourceExhausted, "the system has no memory for \(bytes) bytes of a message", limit: .memoryBudget)
    }

    private mutating func fail(_ error: RPCError) -> Output {
        isDone = true
        letInputGo()
        return .failed(error)
    }

    private mutating func letInputGo() {
        input = ByteBuffer()
        parkedInput = nil
        if !furtherInput.isEmpty { furtherInput = [] }
    }
}
