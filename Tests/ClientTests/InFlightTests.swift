import Messages
import NIOCore
import Testing

@testable import Client

extension AnalyzeRequest {
    /// Of `bytes` pixels.
    static func numbered(_ sequence: UInt64, bytes: Int = 1) -> AnalyzeRequest {
        let pixels = ByteBuffer(repeating: 0, count: bytes)
        return AnalyzeRequest(frame: Frame(sequence: sequence, payload: .attached(pixels)), pipeline: "detect")
    }
}

extension AnalyzeResponse {
    static func answering(_ sequence: UInt64) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = sequence
        return response
    }
}

extension InFlight {
    /// As a connection does that sends `count` frames.
    func send(_ count: Int) async throws -> [UInt64] {
        let connection = rewind().connection
        var sent: [UInt64] = []
        for _ in 0..<count {
            guard let request = try await unsent(on: connection) else { break }
            sent.append(request.frame.sequence)
            wasSent(on: connection)
        }
        return sent
    }
}

@Suite struct InFlightTests {
    private struct Broken: Error {}

    private static func frames(_ count: Int, limit: Int = 8) -> InFlight<Int> {
        let frames = InFlight<Int>(InFlightLimits(frames: limit, bytes: 1000))
        for sequence in 0..<count { frames.append(.numbered(UInt64(sequence)), keeping: sequence, bytes: 0) }
        return frames
    }

    @Test func framesLeaveInOrderWithWhatWasKept() async throws {
        let frames = InFlight<String>(InFlightLimits(frames: 8, bytes: 1000))
        frames.append(.numbered(0), keeping: "a", bytes: 0)
        frames.append(refused: .answering(1), keeping: "b")
        frames.append(.numbered(2), keeping: "c", bytes: 0)
        frames.finish()
        #expect(try await frames.send(3) == [0, 2])
        try frames.resolve(.answering(0))
        try frames.resolve(.answering(2))
        frames.answersEnded()
        var left: [String] = []
        while let next = try await frames.next() { left.append("\(next.kept)\(next.response.sequence)") }
        #expect(left == ["a0", "b1", "c2"])
    }

    @Test func aRefusedFrameNeedsNoAnswer() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 2, bytes: 10))
        frames.append(refused: .answering(0), keeping: 5)
        #expect(try await frames.next()?.kept == 5)
        frames.finish()
        #expect(try await frames.next() == nil)
        #expect(try await frames.send(1) == [])
    }

    @Test func theSourceWaitsUntilAFrameHasLeft() async throws {
        let frames = Self.frames(2, limit: 2)
        async let appended: Void = {
            try await frames.room()
            frames.append(.numbered(2), keeping: 2, bytes: 0)
            frames.finish()
        }()
        #expect(try await frames.send(2) == [0, 1])
        try frames.resolve(.answering(0))
        _ = try await frames.next()
        try await appended
        #expect(try await frames.send(2) == [1, 2])
        try frames.resolve(.answering(1))
        try frames.resolve(.answering(2))
        _ = try await frames.next()
        #expect(try await frames.next()?.kept == 2)
    }

    @Test func theSourceWaitsUntilItsFrameWasSent() async throws {
        let frames = Self.frames(1)
        let waiting = Task { try await frames.sent() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        let others = Self.frames(1)
        async let sent: Void = others.sent()
        #expect(try await others.send(1) == [0])
        try await sent
    }

    @Test func bytesAreBoundedButOneFrameMayAlwaysGo() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 100, bytes: 10))
        try await frames.room()
        frames.append(.numbered(0, bytes: 5000), keeping: 0, bytes: 0)
        let task = Task { try await frames.room() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    // ---- another connection ----

    @Test func whatHasNoAnswerIsSentAgain() async throws {
        let frames = Self.frames(4)
        #expect(try await frames.send(3) == [0, 1, 2])
        try frames.resolve(.answering(0))
        #expect(try await frames.send(3) == [1, 2, 3])
        for sequence in 1...3 { try frames.resolve(.answering(UInt64(sequence))) }
        frames.finish()
        var left: [UInt64] = []
        while let next = try await frames.next() { left.append(next.response.sequence) }
        #expect(left == [0, 1, 2, 3])
    }

    @Test func theNextConnectionIsToldHowManyAreSentAgain() async throws {
        let frames = Self.frames(4)
        #expect(frames.rewind().again == 0)
        _ = try await frames.send(3)
        try frames.resolve(.answering(0))
        #expect(frames.rewind().again == 2)
    }

    @Test func whatIsNotSentAtAllIsNotSentAgain() async throws {
        let frames = Self.frames(1)
        for sequence in 1...3 { frames.append(refused: .answering(UInt64(sequence)), keeping: sequence) }
        frames.append(.numbered(4), keeping: 4, bytes: 0)
        #expect(try await frames.send(2) == [0, 4])
        #expect(frames.rewind().again == 2)
    }

    @Test func aLostConnectionGetsNoMoreFrames() async throws {
        let frames = Self.frames(1)
        let first = frames.rewind().connection
        #expect(try await frames.unsent(on: first)?.frame.sequence == 0)
        // It waits for the next frame.
        async let next = frames.unsent(on: first)
        frames.lost()
        #expect(try await next == nil)
        #expect(try await frames.send(1) == [0])
    }

    @Test func whatIsSentAgainCountsAsSentOnlyThen() async throws {
        let frames = Self.frames(1)
        let first = frames.rewind().connection
        _ = try await frames.unsent(on: first)
        let second = frames.rewind().connection
        // The first one's late word.
        frames.wasSent(on: first)
        async let sent: Void = frames.sent()
        #expect(try await frames.unsent(on: second)?.frame.sequence == 0)
        frames.wasSent(on: second)
        try await sent
    }

    // ---- what goes wrong ----

    @Test func anAnswerOutOfTurnIsAnError() async throws {
        let none = Self.frames(0)
        let early = #expect(throws: ClientError.self) { try none.resolve(.answering(0)) }
        #expect(early?.kind == .outOfOrder)
        let frames = Self.frames(2)
        #expect(throws: ClientError.self, "not sent yet") { try frames.resolve(.answering(0)) }
        _ = try await frames.send(2)
        let error = #expect(throws: ClientError.self) { try frames.resolve(.answering(1)) }
        #expect(error?.description.contains("frame 1") == true && error?.kind == .outOfOrder)
    }

    @Test func aStreamThatEndsEarlyTellsHowManyFramesAreUnanswered() async throws {
        let frames = Self.frames(3)
        frames.finish()
        _ = try await frames.send(3)
        try frames.resolve(.answering(0))
        frames.answersEnded()
        _ = try await frames.next()
        let error = await #expect(throws: ClientError.self) { try await frames.next() }
        #expect(error?.description.contains("2 of 3") == true)
    }

    @Test func whatWasSentIsAnsweredBeforeTheSourcesFailureIsTold() async throws {
        let frames = Self.frames(1)
        frames.finish(Broken())
        _ = try await frames.send(1)
        try frames.resolve(.answering(0))
        #expect(try await frames.next()?.kept == 0)
        await #expect(throws: Broken.self) { try await frames.next() }
    }
}
