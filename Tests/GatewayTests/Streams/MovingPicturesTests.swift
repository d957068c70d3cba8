import Messages
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite struct MovingPicturesTests {
    /// A camera whose every frame is broken is not a line a frame.
    @Test(.timeLimit(.minutes(5))) func framesThatCannotBeDrawnAreSaidSoOftenInASecond() async throws {
        let log = LogRecorder()
        let viewers = Broadcast.pictures(EventLimits(), Places(1, "viewers", of: "viewers", share: 1))
        let viewer = try viewers.watch(for: Caller(address: nil).key)
        let pictures = MovingPictures(viewers, quality: 80, logger: log.logger)
        let broken = MovingPictures.Answered(
            response: AnalyzeResponse(), frame: Frame(payload: .inline(ByteBuffer(string: "no picture"))),
            arrived: .now, pixelAspect: 1)
        async let drawing: Void = pictures.run()
        func skipped() -> [Int] { log.lines.compactMap { $0.metadata["skipped"].flatMap(Int.init) } }
        while skipped().isEmpty {
            pictures.show(broken)
            try await Task.sleep(for: .milliseconds(1))
        }
        pictures.end()
        await drawing
        withExtendedLifetime(viewer) {}
        #expect(skipped().allSatisfy { $0 > 0 })
        #expect(log.lines.allSatisfy { $0.message == "frame not drawn" && $0.metadata["error"]?.isEmpty == false })
        #expect(log.lines.count > skipped().count, "the first say all")
    }
}
