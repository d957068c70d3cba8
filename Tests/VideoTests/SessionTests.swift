import Testing

@testable import Video

/// Sessions whose thread cannot be started: its stack is larger than there are addresses.
@Suite struct SessionTests {
    private static let stackBytes = 1 << 60
    private static let words = "cannot start the thread 'video "

    @Test func aReaderWithoutAThreadFails() async throws {
        let session = ReadingSession("a.mp4", stackBytes: Self.stackBytes)
        session.start(helper: Files.helper, ["read", "a.mp4"])
        let error = await #expect(throws: VideoError.self) { _ = try await session.next() }
        #expect(error?.isOfHelper == true && error?.message.hasPrefix(Self.words) == true, "\(error?.message ?? "")")
        await session.waitForEnd()
    }

    @Test func aWriterWithoutAThreadFails() async throws {
        let session = WritingSession("a.mp4", stackBytes: Self.stackBytes)
        session.start(helper: Files.helper, arguments: [])
        let error = await #expect(throws: VideoError.self) { _ = try await session.reply() }
        #expect(error?.isOfHelper == true && error?.message.hasPrefix(Self.words) == true, "\(error?.message ?? "")")
        await #expect(throws: VideoError.self) { try await session.send(.end) }
        await session.waitForEnd()
    }
}
