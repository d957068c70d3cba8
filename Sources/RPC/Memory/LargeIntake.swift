import NIOCore
import Synchronization

/// Which messages larger than a stream's window one connection receives now, and which wait, in their order.
///
/// The connection's window bounds what can be on its way at once. Letting more messages grow than fill it makes nothing
/// faster: it only spreads the same bytes over more memory, which then misses the caches. So a message waits, in the
/// window of its stream, while those before it still lack a window's worth of bytes.
///
/// Nobody is held up by senders that are slow or stuck: at each `tick` at which less than a window's worth has come
/// since the last one, a message goes on. A value of the connection's loop.
struct LargeIntake {
    /// From tick to tick while messages wait.
    static let tickInterval = TimeAmount.milliseconds(50)

    /// A message that is received: how much of it still lacks. What lacks no more counts no more, also when its stream
    /// ends before.
    final class Part: Sendable {
        private let total: Total
        private let bytes: Int
        private let lacking: Atomic<Int>

        fileprivate init(_ total: Total, bytes: Int) {
            self.total = total
            self.bytes = bytes
            lacking = Atomic(bytes)
            total.lacking.add(bytes, ordering: .relaxed)
        }

        func received(_ bytes: Int) {
            let left = lacking.subtract(bytes, ordering: .relaxed).newValue
            total.lacking.subtract(bytes, ordering: .relaxed)
            total.received.add(bytes, ordering: .relaxed)
            if left == 0 { total.whole.store(self.bytes, ordering: .relaxed) }
        }

        deinit { total.lacking.subtract(lacking.load(ordering: .relaxed), ordering: .relaxed) }
    }

    /// Atomic only because the last reference to a call, and with it a part, may go on any thread.
    fileprivate final class Total: Sendable {
        let lacking = Atomic(0)
        let received = Atomic(0)
        let aloneInARow = Atomic(0)
        /// When the last one began, if it was alone; 0: it was not.
        let begunAlone = Atomic<UInt64>(0)
        /// Of the last one that came whole, until somebody asks.
        let whole = Atomic(0)
    }

    private let windowBytes: Int
    private let total = Total()
    private var waiting = CircularBuffer<Int32>()
    private var receivedAtTick = 0
    /// `tick` will be called.
    private var isTicking = false

    init(windowBytes: Int) { self.windowBytes = windowBytes }

    private var hasWaiting: Bool { !waiting.isEmpty }

    /// Messages that began while no other one was received or waited, one after the other until now.
    var aloneInARow: Int { total.aloneInARow.load(ordering: .relaxed) }

    /// When what comes now was read.
    var now = NIODeadline.uptimeNanoseconds(0)

    /// nil: it is to wait.
    func begin(bytes: Int, isNext: Bool) -> Part? {
        let isAlone = !isNext && waiting.isEmpty && !isReceiving
        total.aloneInARow.store(isAlone ? aloneInARow + 1 : 0, ordering: .relaxed)
        let isMeasured = isAlone && total.whole.load(ordering: .relaxed) == 0
        total.begunAlone.store(isMeasured ? now.uptimeNanoseconds : 0, ordering: .relaxed)
        guard isNext || (waiting.isEmpty && hasRoom) else { return nil }
        return Part(total, bytes: bytes)
    }

    /// Others come as well, which are not counted here.
    func notAlone() {
        total.aloneInARow.store(0, ordering: .relaxed)
        total.begunAlone.store(0, ordering: .relaxed)
    }

    /// Some of a message has not come yet.
    var isReceiving: Bool { total.lacking.load(ordering: .relaxed) > 0 }

    /// A message that has come whole since the last time, while no other one was received or waited, and how long it took.
    func takeWholeAlone() -> (bytes: Int, time: TimeAmount)? {
        guard total.whole.load(ordering: .relaxed) > 0 else { return nil }
        let bytes = total.whole.exchange(0, ordering: .relaxed)
        let begun = total.begunAlone.exchange(0, ordering: .relaxed)
        return begun > 0 ? (bytes, now - .uptimeNanoseconds(begun)) : nil
    }

    private var hasRoom: Bool { total.lacking.load(ordering: .relaxed) < windowBytes }

    /// - Returns: `tick` is to be called after `tickInterval`.
    mutating func wait(_ stream: Int32) -> Bool {
        waiting.append(stream)
        guard !isTicking else { return false }
        isTicking = true
        receivedAtTick = total.received.load(ordering: .relaxed)
        return true
    }

    /// The stream whose message goes on now.
    mutating func next() -> Int32? { hasRoom ? waiting.popFirst() : nil }

    /// - Returns: the stream whose message goes on because the others are slow.
    mutating func tick() -> Int32? {
        let received = total.received.load(ordering: .relaxed)
        defer { receivedAtTick = received }
        return received - receivedAtTick < windowBytes ? waiting.popFirst() : nil
    }

    /// To be asked after a tick, when all that may go on do.
    /// - Returns: `tick` is to be called again.
    mutating func ticksOn() -> Bool {
        isTicking = hasWaiting
        return isTicking
    }
}
