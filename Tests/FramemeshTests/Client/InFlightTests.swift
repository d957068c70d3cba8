import Messages
import Testing

@testable import framemesh

@Suite struct InFlightTests {
    private static func answer(_ sequence: UInt64) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.sequence = sequence
        return response
    }

    @Test func framesLeaveInOrderWithWhatWasKept() async throws {
        let frames = InFlight<String>(InFlightLimits(frames: 8, keptBytes: 1000))
        frames.append(0, keeping: "a", bytes: 1)
        frames.append(1, keeping: "b", bytes: 0, refusal: Self.answer(1))
        frames.append(2, keeping: "c", bytes: 1)
        frames.finish()
        try frames.resolve(Self.answer(0))
        try frames.resolve(Self.answer(2))
        frames.answersEnded()
        var left: [String] = []
        while let next = try await frames.next() { left.append("\(next.kept)\(next.response.sequence)") }
        #expect(left == ["a0", "b1", "c2"])
    }

    @Test func aRefusedFrameNeedsNoAnswer() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 2, keptBytes: 10))
        frames.append(0, keeping: 5, bytes: 0, refusal: Self.answer(0))
        #expect(try await frames.next()?.kept == 5)
        frames.finish()
        #expect(try await frames.next() == nil)
    }

    @Test func theSenderWaitsUntilAFrameHasLeft() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 2, keptBytes: 1000))
        frames.append(0, keeping: 0, bytes: 1)
        frames.append(1, keeping: 0, bytes: 1)
        async let sent: Void = {
            try await frames.room()
            frames.append(2, keeping: 2, bytes: 1)
            frames.finish()
        }()
        try frames.resolve(Self.answer(0))
        _ = try await frames.next()
        try await sent
        try frames.resolve(Self.answer(1))
        try frames.resolve(Self.answer(2))
        _ = try await frames.next()
        #expect(try await frames.next()?.kept == 2)
    }

    @Test func keptBytesAreBoundedButOneFrameMayAlwaysGo() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 100, keptBytes: 10))
        try await frames.room()
        frames.append(0, keeping: 0, bytes: 5000)
        let task = Task { try await frames.room() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try frames.resolve(Self.answer(0))
        _ = try await frames.next()
    }

    @Test func anAnswerOutOfTurnIsAnError() {
        let frames = InFlight<Int>(InFlightLimits(frames: 8, keptBytes: 10))
        #expect(throws: Fatal.self) { try frames.resolve(Self.answer(0)) }
        frames.append(0, keeping: 0, bytes: 0)
        frames.append(1, keeping: 0, bytes: 0)
        let error = #expect(throws: Fatal.self) { try frames.resolve(Self.answer(1)) }
        #expect(error?.description.contains("frame 1") == true)
    }

    @Test func aStreamThatEndsEarlyTellsHowManyFramesAreUnanswered() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 8, keptBytes: 10))
        for sequence in 0..<3 { frames.append(UInt64(sequence), keeping: 0, bytes: 0) }
        frames.finish()
        try frames.resolve(Self.answer(0))
        frames.answersEnded()
        _ = try await frames.next()
        let error = await #expect(throws: Fatal.self) { try await frames.next() }
        #expect(error?.description.contains("2 of 3") == true)
    }

    @Test func whatWasSentIsAnsweredBeforeTheSourcesFailureIsTold() async throws {
        let frames = InFlight<Int>(InFlightLimits(frames: 8, keptBytes: 10))
        frames.append(0, keeping: 1, bytes: 0)
        frames.finish(Fatal("the file is damaged"))
        try frames.resolve(Self.answer(0))
        #expect(try await frames.next()?.kept == 1)
        let error = await #expect(throws: Fatal.self) { try await frames.next() }
        #expect(error?.description == "the file is damaged")
    }
}
