import HTTP2
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import RPC

@Suite struct LoneWindowTests {
    private static func changes(_ window: inout LoneWindow, _ aloneInARow: ClosedRange<Int>) -> [Int: Int] {
        var changes: [Int: Int] = [:]
        for number in aloneInARow { changes[number] = window.change(aloneInARow: number) { true } }
        return changes
    }

    @Test func itWidensAfterLargeMessagesOneAtATime() {
        var window = LoneWindow(narrow: 100, wide: 400)
        #expect(Self.changes(&window, 0...20) == [LoneWindow.firstPatience: 400])
    }

    @Test func othersNarrowItAndItTakesLongerTheNextTime() {
        var window = LoneWindow(narrow: 100, wide: 400)
        var patience = LoneWindow.firstPatience
        for _ in 0..<10 {
            #expect(Self.changes(&window, 1...patience) == [patience: 400])
            #expect(Self.changes(&window, 0...0) == [0: 100])
            patience = min(patience * LoneWindow.growth, LoneWindow.longestPatience)
        }
        #expect(patience == LoneWindow.longestPatience)
    }

    @Test func itWaitsForMemory() {
        var window = LoneWindow(narrow: 100, wide: 400)
        #expect(window.change(aloneInARow: 50) { false } == nil)
        #expect(window.change(aloneInARow: 51) { true } == 400)
    }

    @Test(arguments: [nil, 100, 50]) func withoutAWiderOneItStays(wide: Int?) {
        var window = LoneWindow(narrow: 100, wide: wide)
        #expect(Self.changes(&window, 0...100) == [:])
    }
}

/// Large messages to a real server.
@Suite(.timeLimit(.minutes(5))) struct LoneWindowServerTests {
    private static let methods: [String: RPCHandler] = [
        "Count": .immediate { _, payload in UnaryResponse(Payload("\(payload.message.readableBytes)")) },
        "Sum": .stream { _, requests, responses in
            var sum = 0
            for try await request in requests { sum += request.message.readableBytes }
            try await responses.write(Payload("\(sum)"))
        },
    ]
    /// More than a narrow window.
    private static let large = 300_000

    @Test func aClientIsToldOfItsWindow() async throws {
        let patience = LoneWindow.firstPatience
        try await Loopback.serving(Self.methods) { server in
            let alone = [Int](repeating: 1, count: patience)
            let soon = try await LargeSender.settings(server.address, "/test.Service/Count", alone, of: Self.large)
            #expect(soon == [Int](repeating: 1, count: patience - 1) + [2])
            // Three times what its connection carries at once, so that the second begins before the first is whole.
            let (most, pair) = (patience * LoneWindow.growth, 3 << 20)
            let rounds = alone + [2] + [Int](repeating: 1, count: most)
            let seen = try await LargeSender.settings(server.address, "/test.Service/Count", rounds, of: pair)
            #expect(seen == soon + [3] + [Int](repeating: 3, count: most - 1) + [4])
        }
    }

    @Test func withoutAWiderOneNothingIsSaid() async throws {
        var narrow = ServerConfiguration()
        narrow.loneStreamWindowBytes = nil
        let alone = [Int](repeating: 1, count: 2 * LoneWindow.firstPatience)
        try await Loopback.serving(Self.methods, server: narrow) { server in
            let seen = try await LargeSender.settings(server.address, "/test.Service/Count", alone, of: Self.large)
            #expect(Set(seen) == [1])
        }
        // Memory is short.
        let budget = MemoryBudget(limit: 4 << 20)
        let lease = budget.reserve(2 << 20)
        try await Loopback.serving(Self.methods, budget: budget) { server in
            let seen = try await LargeSender.settings(server.address, "/test.Service/Count", alone, of: Self.large)
            #expect(Set(seen) == [1])
        }
        withExtendedLifetime(lease) {}
    }

    /// They are credited while they run, and what their consumers have not taken yet would be more.
    @Test func streamsAreNoReason() async throws {
        let alone = [Int](repeating: 1, count: LoneWindow.firstPatience)
        try await Loopback.serving(Self.methods) { server in
            let seen = try await LargeSender.settings(server.address, "/test.Service/Sum", alone, of: Self.large)
            #expect(Set(seen) == [1])
        }
    }

    /// A stream that begins with a wide window, which its first message narrows. Its client sends all that it may before it
    /// hears of that, and its consumer is slow.
    @Test(arguments: [(10_000, 1000), (100_000, 60), (300_000, 40)])
    func aStreamThatNarrowsItKeepsWhatWasGranted(bytes: Int, count: Int) async throws {
        let (narrow, wide) = (256 << 10, 1 << 20)
        // What a message that waits has of the window: the rest was credited when it began.
        let held = min(bytes + 5, narrow / 2)
        let isCounted = bytes >= MemoryBudget.smallestReservation
        let budget = MemoryBudget(limit: 64 << 20)
        let waiting = Mutex<[(messages: Int, windows: Int)]>([])
        var methods = Self.methods
        methods["Slow"] = .stream { _, requests, responses in
            // All of the wide window has come; of small messages a few are in the queue.
            let (messages, windows) = isCounted ? (wide / (bytes + 5) * bytes, 0) : (0, wide - (128 << 10))
            while budget.used < messages || budget.waitingBytes < windows {
                try await Task.sleep(for: .milliseconds(1))
            }
            var taken = 0
            for try await request in requests {
                waiting.withLock { $0.append((budget.used, budget.waitingBytes)) }
                guard request.message == Self.message(taken, of: bytes) else {
                    throw RPCError(.dataLoss, "message \(taken) is another")
                }
                taken += 1
                if taken % 10 == 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            try await responses.write(Payload("\(taken)"))
        }
        try await Loopback.serving(methods, budget: budget) { server in
            let alone = [Int](repeating: 1, count: LoneWindow.firstPatience)
            var stream = LargeSender.Round("/test.Service/Slow", calls: 1, answer: "\(count)")
            for number in 0..<count { stream.add(Self.message(number, of: bytes)) }
            let seen = try await LargeSender.settings(
                server.address, LargeSender.rounds("/test.Service/Count", alone, of: Self.large) + [stream])
            // Wide, and narrow again.
            #expect(seen.suffix(2) == [2, 3])
        }
        let samples = waiting.withLock { $0 }
        #expect(samples.count == count)
        for (number, sample) in samples.enumerated() {
            // One is in its consumer's hand, and one has come in part.
            let messages = max(wide - (number + 1) * held, narrow) / held + 2
            #expect(sample.messages <= (isCounted ? messages * bytes : 0))
            #expect(sample.windows <= (isCounted ? 0 : wide))
        }
        #expect(budget.used == 0)
        #expect(budget.waitingBytes == 0)
    }

    private static func message(_ number: Int, of bytes: Int) -> ByteBuffer {
        var message = ByteBuffer(integer: UInt32(number))
        message.writeRepeatingByte(UInt8(truncatingIfNeeded: number), count: bytes - 4)
        return message
    }

    @Test func whatWaitsOfAWideWindowIsCounted() async throws {
        let budget = MemoryBudget(limit: 4 << 20)
        let text = String(repeating: "x", count: Self.large)
        let narrow = 256 << 10
        // Of the call that waits, at most, with a small message.
        let head = MemoryBudget.smallestReservation + 4 << 10
        // A handler on the loop would get what comes in one read without any memory.
        let methods: [String: RPCHandler] = [
            "Count": .unary { _, payload in UnaryResponse(Payload("\(payload.message.readableBytes)")) }
        ]
        try await Loopback.with(methods, serverBudget: budget) { loopback in
            /// Until a call that waits for memory holds so much.
            func wait(for bytes: Int) async throws {
                var lease = budget.reserve(budget.limit - Self.large / 2)
                #expect(lease != nil)
                async let answer = loopback.unary("Count", text)
                while budget.waitingBytes == 0 { try await Task.sleep(for: .milliseconds(1)) }
                #expect(budget.waitingBytes <= bytes + head)
                while budget.waitingBytes < bytes { try await Task.sleep(for: .milliseconds(1)) }
                lease = nil
                #expect(try await answer == "\(Self.large)")
            }
            try await wait(for: narrow)
            for _ in 0..<LoneWindow.firstPatience { try await loopback.expect("\(Self.large)", from: "Count", text) }
            // All of its bytes come, and lie in a window and two steps.
            try await wait(for: narrow + 2 * MessageReader.stepBytes)
        }
    }
}
