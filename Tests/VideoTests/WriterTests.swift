import Foundation
import NIOCore
import Testing
import Video

@Suite struct VideoWriterTests {
    private static func writer(_ path: String, _ width: Int = 64, _ height: Int = 48) async throws -> VideoWriter {
        try await VideoWriter.create(path, width: width, height: height, frameRate: 10, helper: Files.helper)
    }

    @Test(arguments: [(320, 240), (321, 243), (17, 16), (16, 17), (2, 2), (1, 1)])
    func whatIsWrittenIsReadBack(_ width: Int, _ height: Int) async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let writer = try await Self.writer(path, width, height)
            #expect(writer.info.width == width && writer.info.height == height)
            #expect(writer.info.codec == (width % 2 == 0 && height % 2 == 0 ? "h264" : "vp9"))
            let colors: [(UInt8, UInt8, UInt8)] = (0..<25).map { ($0 * 10, 255 - $0 * 10, $0 % 2 == 0 ? 40 : 200) }
            for (index, (blue, green, red)) in colors.enumerated() {
                try await writer.write(
                    picture(width, height, blue: blue, green: green, red: red), captureTime: Int64(index) * 100_000)
            }
            try await writer.finish()
            #expect(writer.processID == nil)
            #expect(try folder.names == ["a.mp4"])

            let (info, frames, damaged) = try await readAll(path)
            #expect(info == writer.info.with(frameCount: 25, duration: info.duration))
            let duration = try #require(info.duration)
            #expect(duration >= .milliseconds(2400) && duration <= .milliseconds(2600), "\(duration)")
            #expect(frames.count == 25 && damaged == 0)
            // VP9 spends little on a picture of a few points whose colour leaps with each frame.
            let tolerance = width * height < 1000 ? 16 : 8
            for (frame, (blue, green, red)) in zip(frames, colors) {
                #expect(abs(frame.captureTime - Int64(frame.index) * 100_000) <= 12)
                for (x, y) in [(0, 0), (width / 2, height / 2), (info.width - 1, info.height - 1)] {
                    let seen = color(frame, info, x: x, y: y)
                    #expect(
                        close(seen, [Int(blue), Int(green), Int(red)], within: tolerance), "\(seen) in \(frame.index)")
                }
            }
        }
    }

    @Test(arguments: [(64, 48), (65, 49)])
    func theRatioOfPixelsIsWritten(_ width: Int, _ height: Int) async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let aspect = try #require(PixelAspect(width: 64, height: 45))
            let writer = try await VideoWriter.create(
                path, width: width, height: height, frameRate: 10, aspect: aspect, helper: Files.helper)
            #expect(writer.info.aspect == aspect)
            try await writer.write(picture(width, height, blue: 1, green: 2, red: 3), captureTime: 0)
            try await writer.finish()
            #expect(try await readAll(path).info.aspect == aspect)
        }
    }

    /// Its encoder for odd sides would take too much memory.
    @Test func onlyALargePictureIsMadeEven() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let writer = try await Self.writer(path, 4097, 2305)
            #expect(writer.info.width == 4098 && writer.info.height == 2306 && writer.info.codec == "h264")
            try await writer.write(picture(4097, 2305, blue: 40, green: 80, red: 160), captureTime: 0)
            try await writer.finish()
            let (info, frames, _) = try await readAll(path)
            #expect(info.width == 4098 && info.height == 2306)
            let corner = color(try #require(frames.first), info, x: 4097, y: 2305)
            #expect(close(corner, [40, 80, 160], within: 8), "\(corner)")
        }
    }

    @Test func aFileThatWouldBecomeTooLargeIsNotThere() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let writer = try await VideoWriter.create(
                path, width: 64, height: 48, frameRate: 10, helper: Files.helper, maxBytes: 2000)
            var failure: VideoError?
            do {
                for index in 0..<200 as Range<Int64> {
                    let shade = UInt8(truncatingIfNeeded: index * 37)
                    try await writer.write(
                        picture(64, 48, blue: shade, green: ~shade, red: shade &* 3), captureTime: index * 100_000)
                }
                try await writer.finish()
            } catch let error as VideoError {
                failure = error
            }
            let error = try #require(failure)
            #expect(VideoWriter.isTooLarge(error, maxBytes: 2000), "\(error)")
            await writer.abort()
            #expect(try folder.names.isEmpty)
        }
    }

    @Test func variableTimesSurvive() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let times: [Int64] = [0, 33_000, 50_000, 1_000_000, 1_000_100, 5_000_000, 125_000_000]
            let writer = try await Self.writer(path)
            for time in times {
                try await writer.write(
                    picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 1_764_000_000_000_000 + time)
            }
            try await writer.finish()
            let read = try await readAll(path).frames.map(\.captureTime)
            #expect(read.count == times.count)
            for (seen, expected) in zip(read, times) { #expect(abs(seen - expected) <= 12, "\(read)") }
        }
    }

    @Test(.enabled(if: Files.announceVtest()))
    func aRealVideoGoesThroughWhole() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("copy.mp4")
            let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
            let writer = try await Self.writer(path, reader.info.width, reader.info.height)
            while let frame = try await reader.next() {
                try await writer.write(frame.pixels, captureTime: frame.captureTime)
            }
            try await writer.finish()
            let (_, frames, damaged) = try await readAll(path)
            #expect(frames.count == Files.vtestFrames && damaged == 0)
            #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.captureTime < $1.captureTime })
        }
    }

    @Test func theIndexComesFirstSoThatItPlaysWhileItLoads() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let writer = try await Self.writer(path)
            try await writer.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0)
            try await writer.finish()
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let index = try #require(data.range(of: Data("moov".utf8)))
            let media = try #require(data.range(of: Data("mdat".utf8)))
            #expect(index.lowerBound < media.lowerBound)
        }
    }

    @Test func thereIsNoFileBeforeTheEndAndAnOldOneStaysUntilThen() async throws {
        try await Files.withFolder { folder in
            let path = try folder.write("a.mp4", Data("old".utf8))
            let aborted = try await Self.writer(path)
            try await aborted.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0)
            let pid = try #require(aborted.processID)
            await aborted.abort()
            #expect(!runs(pid))
            #expect(try folder.names == ["a.mp4"])
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
            await #expect(throws: VideoError.self) {
                try await aborted.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 1)
            }

            let finished = try await Self.writer(path)
            try await finished.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0)
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
            try await finished.finish()
            #expect(try await readAll(path).frames.count == 1)
        }
    }

    @Test func aWriterThatIsDroppedLeavesNothing() async throws {
        try await Files.withFolder { folder in
            var writer: VideoWriter? = try await Self.writer(folder.path("a.mp4"))
            try await writer?.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0)
            let pid = try #require(writer?.processID)
            writer = nil
            #expect(try await becomes { !runs(pid) })
            #expect(try folder.names == [])
        }
    }

    @Test func aKilledChildIsSaidAndLeavesNothing() async throws {
        try await Files.withFolder { folder in
            let path = folder.path("a.mp4")
            let writer = try await Self.writer(path)
            try await writer.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 0)
            kill(try #require(writer.processID), SIGKILL)
            let error = await #expect(throws: VideoError.self) { try await writer.finish() }
            let message = error?.message ?? ""
            #expect(message.hasPrefix("framemesh-video was killed by signal 9 while writing \(path) after "))
            #expect(try folder.names == [])
        }
    }

    @Test func cancellingAWriteThatWaitsLeavesNoProcessAndNoFile() async throws {
        try await Files.withFolder { folder in
            let writer = try await Self.writer(folder.path("a.mp4"), 640, 480)
            let pid = try #require(writer.processID)
            kill(pid, SIGSTOP)
            let task = Task {
                let frame = picture(640, 480, blue: 1, green: 2, red: 3)
                for index in Int64(0)... { try await writer.write(frame, captureTime: index) }
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!runs(pid))
            #expect(try folder.names == [])
        }
    }

    @Test func whatCannotBeWrittenIsSaidInOneLine() async throws {
        try await Files.withFolder { folder in
            func creating(_ path: String, _ width: Int = 64, _ height: Int = 48, _ rate: Double = 10) async -> String {
                do {
                    await
                        (try VideoWriter.create(
                            path, width: width, height: height, frameRate: rate, helper: Files.helper)).abort()
                    return "no error"
                } catch {
                    return "\(error)"
                }
            }
            let path = folder.path("a.mp4")
            #expect(await creating(folder.url.path) == "\(folder.url.path): is a directory")
            #expect(await creating(folder.path("no/a.mp4")) == "\(folder.path("no/a.mp4")): No such file or directory")
            #expect(await creating(path, 16_385, 2) == "\(path): a size of 16385x2 pixels is not allowed")
            #expect(await creating(path, 9_000, 9_000) == "\(path): a size of 9000x9000 pixels is not allowed")
            #expect(await creating(path, 0, 48) == "\(path): a size of 0x48 pixels is not allowed")
            #expect(await creating(path, 64, 48, .nan).hasPrefix("\(path): a frame rate of nan is not allowed"))

            let writer = try await Self.writer(path)
            let short = await #expect(throws: VideoError.self) {
                try await writer.write(ByteBuffer(bytes: [1, 2, 3]), captureTime: 0)
            }
            #expect(short?.message == "\(path): a frame of 3 bytes instead of 9216 (64x48)")
            try await writer.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 20)
            try await writer.write(picture(64, 48, blue: 1, green: 2, red: 3), captureTime: 10)
            let back = await #expect(throws: VideoError.self) { try await writer.finish() }
            #expect(back?.message == "\(path): capture time 10 of frame 1 does not come after 20")

            let none = try await Self.writer(path)
            let empty = await #expect(throws: VideoError.self) { try await none.finish() }
            #expect(empty?.message == "\(path): no frames were given")
            #expect(try folder.names == [])
        }
    }
}

extension VideoInfo {
    fileprivate func with(frameCount: Int, duration: Duration?) -> VideoInfo {
        var info = self
        info.frameCount = frameCount
        info.duration = duration
        info.isFrameCountExact = true
        return info
    }
}
