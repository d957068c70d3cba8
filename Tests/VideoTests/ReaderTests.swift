import Foundation
import NIOCore
import Testing
import Video

@Suite struct VideoReaderTests {
    @Test(.enabled(if: Files.announceVtest()))
    func aWholeVideoComesInOrder() async throws {
        let reader = try await VideoReader.open(Files.vtest, helper: Files.helper)
        #expect(
            reader.info
                == VideoInfo(
                    width: 768, height: 576, frameRate: 10, frameCount: Files.vtestFrames, codec: "msmpeg4v3",
                    duration: .milliseconds(79_500), isFrameCountExact: true))
        var count = 0
        let start = ContinuousClock.now
        while let frame = try await reader.next() {
            #expect(frame.index == UInt64(count))
            #expect(frame.captureTime == Int64(count) * 100_000)
            #expect(frame.pixels.readableBytes == 768 * 576 * 3)
            count += 1
        }
        print("vtest.avi: \(count) frames in \(ContinuousClock.now - start)")
        #expect(count == Files.vtestFrames)
        #expect(reader.damagedPackets == 0)
        #expect(try await reader.next() == nil, "it stays at the end")
        await reader.close()
        #expect(reader.processID == nil)
    }

    @Test(arguments: [
        ("a.mp4", "-c:v libx264 -preset ultrafast -pix_fmt yuv420p", "h264"),
        ("a.mkv", "-c:v libx264 -preset ultrafast -pix_fmt yuv444p", "h264"),
        ("a.webm", "-c:v libvpx -deadline realtime", "vp8"),
        ("a.ts", "-c:v mpeg2video", "mpeg2video"),
        ("a.mpg", "-c:v mpeg1video -r 25", "mpeg1video"),
        ("a.mov", "-c:v mjpeg", "mjpeg"),
        ("a.avi", "-c:v mpeg4", "mpeg4"),
        ("a.flv", "-c:v flv1", "flv1"),
        ("a.ogv", "-c:v libtheora", "theora"),
        // JPEGs one behind the other, without any time: 25 a second.
        ("a.mjpeg", "-c:v mjpeg", "mjpeg"),
    ])
    func commonContainersAreRead(_ name: String, _ codec: String, _ codecName: String) async throws {
        try await Files.withFolder { folder in
            let path = try await folder.video(name, frames: 12, rate: 25, codec: codec)
            let (info, frames, damaged) = try await readAll(path)
            #expect(info.width == 320 && info.height == 240 && info.codec == codecName)
            #expect(info.frameRate == 25)
            #expect(frames.map(\.index) == (0..<12).map { UInt64($0) })
            #expect(damaged == 0)
            for (frame, expected) in zip(frames, stride(from: 0, to: Int64.max, by: 40_000)) {
                // Matroska and FLV count milliseconds, MPEG 90 kHz.
                #expect(abs(frame.captureTime - frames[0].captureTime - expected) <= 1_000)
            }
        }
    }

    /// A second at 30 frames a second, then two at 3.
    @Test func aVideoOfChangingRateIsAsLongAsItSays() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make(
                "a.mp4",
                "-f lavfi -i testsrc2=size=64x48:rate=30:duration=3 -vf select=lt(t\\,1)+not(mod(n\\,10)) -vsync vfr "
                    + "-c:v libx264 -preset ultrafast -pix_fmt yuv420p")
            let (info, frames, _) = try await readAll(path)
            #expect(frames.count == 36 && frames[33].captureTime == 2_000_000)
            let duration = try #require(info.duration)
            #expect(duration >= .milliseconds(2600) && duration <= .milliseconds(3100), "\(duration)")
            // JPEGs one behind the other say nothing.
            let pictures = try await folder.video("a.mjpeg", frames: 5, codec: "-c:v mjpeg")
            #expect(try await readAll(pictures).info.duration == nil)
        }
    }

    /// Its index in front counts the frames of the first fragment alone, five.
    @Test func aVideoInFragmentsHasAllItsFramesCounted() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.video(
                "a.mp4", size: "64x48", frames: 30,
                codec: "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 5 -movflags frag_keyframe")
            let (info, frames, _) = try await readAll(path)
            #expect(frames.count == 30)
            #expect(info.frameCount == 30 && !info.isFrameCountExact)
        }
    }

    /// Its header counts the places of its rhythm, 51; only fifteen have a frame.
    @Test func theEmptyPlacesOfAnAVIAreNoFrames() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make(
                "a.avi",
                "-f lavfi -i testsrc2=size=64x48:rate=30:duration=2 -vf select=lt(n\\,10)+not(mod(n\\,10)) -vsync vfr "
                    + "-c:v mpeg4")
            let (info, frames, damaged) = try await readAll(path)
            #expect(frames.count == 15 && frames[14].captureTime == 1_666_667 && damaged == 0)
            #expect(info.frameCount == 15 && info.isFrameCountExact)
            // Without its index nothing says which are empty.
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            let index = try #require(data.range(of: Data("idx1".utf8), options: .backwards))
            data.replaceSubrange(index, with: Data("JUNK".utf8))
            let unknown = try await readAll(folder.write("unknown.avi", data)).info
            #expect(unknown.frameCount == 51 && !unknown.isFrameCountExact)
        }
    }

    @Test(arguments: ["a.mp4", "a.mkv", "a.avi"])
    func pixelsThatAreNotSquareSaySoAndStayAsTheyAre(_ name: String) async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make(
                name,
                "-f lavfi -i testsrc2=size=144x108:rate=10 -vf setsar=4/3 -frames:v 3 -c:v mpeg4 -pix_fmt yuv420p")
            let info = try await readAll(path).info
            #expect(info.width == 144 && info.height == 108)
            // Matroska says the size in whole pixels.
            let ratio = Double(info.aspect.width) / Double(info.aspect.height)
            #expect(abs(ratio - 1.3333) < 0.01, "\(info.aspect)")
        }
    }

    @Test func theRatioOfPixelsIsTurnedWithThePicture() async throws {
        try await Files.withFolder { folder in
            let flat = try await folder.make(
                "flat.mp4", "-f lavfi -i testsrc2=size=64x32:rate=10 -vf setsar=4/3 -frames:v 2 -c:v mpeg4")
            let path = try await folder.make("turned.mp4", "-i \(flat) -c copy -metadata:s:v:0 rotate=90")
            let info = try await readAll(path).info
            #expect(info.width == 32 && info.height == 64)
            #expect(info.aspect == PixelAspect(width: 3, height: 4))
        }
    }

    /// Then FFmpeg takes them for this format itself, and for single pictures where they have it.
    @Test func picturesWithoutJFIFAreReadOneBehindTheOther() async throws {
        try await Files.withFolder { folder in
            let whole = try await folder.video("whole.mjpeg", frames: 5, rate: 25, codec: "-c:v mjpeg")
            var bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
            // A segment of 18 bytes behind each beginning of a picture.
            let (beginning, length) = (Data([0xFF, 0xD8, 0xFF, 0xE0, 0x00, 0x10]), 18)
            var cut = 0
            while let found = bytes.range(of: beginning) {
                bytes.removeSubrange(found.lowerBound + 2..<found.lowerBound + 2 + length)
                cut += 1
            }
            #expect(cut == 5)
            let path = whole.replacing("whole", with: "cut")
            try bytes.write(to: URL(fileURLWithPath: path))
            #expect(try await readAll(path).1.count == 5)
        }
    }

    @Test(arguments: ["321x243", "16x16", "17x480", "1x1", "642x3", "770x5"])
    func oddSizesKeepTheirLastColumn(_ size: String) async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make(
                "a.mkv",
                "-f lavfi -i color=c=0x2060E0:size=64x64:rate=10 -frames:v 3 -vf format=gbrp,scale=\(size.replacing("x", with: ":")) "
                    + "-c:v ffv1 -pix_fmt yuv444p")
            let (info, frames, _) = try await readAll(path)
            #expect("\(info.width)x\(info.height)" == size)
            #expect(frames.count == 3)
            for frame in frames {
                for (x, y) in [(0, 0), (info.width - 1, 0), (0, info.height - 1), (info.width - 1, info.height - 1)] {
                    let seen = color(frame, info, x: x, y: y)
                    #expect(close(seen, [0xE0, 0x60, 0x20], within: 6), "\(seen) at \(x), \(y)")
                }
            }
        }
    }

    /// A picture whose left half is red; what `-display_rotation` says is undone by us.
    @Test(arguments: [
        ("90", "left", "bottom"), ("-90", "left", "top"), ("180", "left", "right"), ("0", "left", "left"),
    ])
    func rotationIsApplied(_ degrees: String, _ side: String, _ shown: String) async throws {
        try await Files.withFolder { folder in
            let flat = try await folder.make(
                "flat.mp4",
                "-f lavfi -i color=c=blue:size=64x32:rate=10 -vf drawbox=x=0:y=0:w=32:h=32:c=red:t=fill -frames:v 2 "
                    + "-c:v libx264 -qp 1 -pix_fmt yuv444p")
            // FFmpeg 5.1: the tag turns clockwise by the negative of it.
            let path = try await folder.make("turned.mp4", "-i \(flat) -c copy -metadata:s:v:0 rotate=\(degrees)")
            let (info, frames, _) = try await readAll(path)
            let turned = shown == "top" || shown == "bottom"
            #expect(info.width == (turned ? 32 : 64) && info.height == (turned ? 64 : 32))
            let (x, y) =
                switch shown {
                case "left": (2, 16)
                case "right": (61, 16)
                case "top": (16, 2)
                default: (16, 61)
                }
            let frame = try #require(frames.first)
            #expect(close(color(frame, info, x: x, y: y), [0, 0, 255], within: 12))
            let opposite = color(frame, info, x: info.width - 1 - x, y: info.height - 1 - y)
            #expect(close(opposite, [255, 0, 0], within: 12))
        }
    }

    @Test func pixelsAreThoseOfTheFFmpegCommand() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.video("a.mp4", frames: 3)
            let raw = try await folder.make("a.rgb", "-i \(path) -sws_flags bicubic -f rawvideo -pix_fmt bgr24")
            let expected = try Data(contentsOf: URL(fileURLWithPath: raw))
            let (_, frames, _) = try await readAll(path)
            #expect(Data(frames.flatMap { $0.pixels.readableBytesView }) == expected)
        }
    }

    @Test(.enabled(if: Files.announceVtest()))
    func twoReadersAtOnceDoNotDisturbEachOther() async throws {
        async let first = readAll(Files.vtest).frames.prefix(200).map(\.pixels)
        async let second = Files.withFolder { try await readAll($0.video("a.mp4", frames: 30)) }
        let (frames, other) = try await (first, second)
        #expect(frames.count == 200 && other.frames.count == 30)
        #expect(other.frames.map(\.index) == (0..<30).map { UInt64($0) })
    }
}
