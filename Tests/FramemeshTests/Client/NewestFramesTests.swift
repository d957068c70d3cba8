import NIOCore
import Playback
import Synchronization
import Testing
import Video

@testable import framemesh

/// What becomes of the frames of a live source when those behind it are slow.
@Suite struct NewestFramesTests {
    fileprivate static func frame(_ index: UInt64) -> VideoFrame {
        VideoFrame(index: index, captureTime: Int64(index) * 40_000, pixels: ByteBuffer(bytes: [0, 0, 0]))
    }

    /// Gives its frames as fast as they are taken, and says when there are no more.
    private final class Source: FrameSource {
        let info = VideoInfo(width: 1, height: 1, frameRate: 25, frameCount: nil, codec: "none", isLive: true)
        let damagedPackets: UInt64 = 0
        private let count: UInt64
        private let failure: VideoError?
        private let given = Mutex<UInt64>(0)
        var givenCount: UInt64 { given.withLock { $0 } }
        let isOver = AsyncStream<Never>.makeStream()

        init(_ count: UInt64, failure: VideoError? = nil) {
            self.count = count
            self.failure = failure
        }

        func next() async throws -> VideoFrame? {
            try Task.checkCancellation()
            let index = given.withLock { given in
                defer { given += 1 }
                return given
            }
            guard index >= count else { return NewestFramesTests.frame(index) }
            isOver.continuation.finish()
            if let failure { throw failure }
            return nil
        }

        func close() async {}
    }

    @Test func whoComesLateGetsTheNewest() async throws {
        let source = Source(1000)
        let got = try await NewestFrames.with(source) { newest in
            for await _ in source.isOver.stream {}
            var got: [UInt64] = []
            while let frame = try await newest.next() { got.append(frame.index) }
            return got
        }
        #expect(got == [999])
    }

    /// Otherwise one that nobody wants might replace all that are wanted.
    @Test func theLastThatIsWantedIsNotReplaced() async throws {
        let source = Source(1000)
        let got = try await NewestFrames.with(source, end: 2) { newest in
            while source.givenCount < 2 { await Task.yield() }
            var got: [UInt64] = []
            while let frame = try await newest.next() { got.append(frame.index) }
            return got
        }
        #expect(got.last == 1)
        // Nor is a source read, and called again, for what nobody wants.
        #expect(source.givenCount == 2)
    }

    @Test func anEndInErrorIsToldBehindTheLastFrame() async throws {
        let source = Source(2, failure: VideoError("broke off"))
        try await NewestFrames.with(source) { newest in
            for await _ in source.isOver.stream {}
            let last = try await newest.next()
            #expect(last?.index == 1)
            let error = await #expect(throws: VideoError.self) { try await newest.next() }
            #expect(error?.message == "broke off")
        }
    }
}
