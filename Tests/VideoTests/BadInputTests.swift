import Foundation
import NIOCore
import Testing
import Video

@Suite struct VideoBadInputTests {
    @Test func whatIsNoVideoIsSaidInOneLine() async throws {
        try await Files.withFolder { folder in
            let missing = folder.path("missing.mp4")
            #expect(await readingError(missing) == "\(missing): No such file or directory")
            #expect(await readingError(folder.url.path) == "\(folder.url.path): is a directory")
            #expect(await readingError("/dev/zero") == "/dev/zero: is not a regular file")
            let empty = try folder.write("empty.mp4", Data())
            #expect(await readingError(empty) == "\(empty): is empty")
            for content in ["hello", "<html><video src=a.mp4></html>", String(repeating: "0123456\n", count: 5_000)] {
                let path = try folder.write("text.mp4", Data(content.utf8))
                #expect(
                    await readingError(path)
                        == "\(path): is not a video that is known here (mp4, mov, matroska, webm, avi, mpegts, mpeg, flv, ogg, mjpeg)"
                )
            }
            #expect(await readingError("a\u{0}b") == "a file name contains a zero byte")
        }
    }

    @Test func onePictureIsNoVideo() async throws {
        try await Files.withFolder { folder in
            for name in ["a.jpg", "a.png"] {
                let path = try await folder.video(name, frames: 1, codec: "")
                let error = try #require(await readingError(path))
                #expect(error.hasPrefix("\(path): has no video stream that is read here, it looks like '"), "\(error)")
            }
        }
    }

    @Test func soundAloneIsRefused() async throws {
        try await Files.withFolder { folder in
            let path = try await folder.make("sound.mp4", "-f lavfi -i sine -t 1")
            #expect(await readingError(path) == "\(path): has no video stream")
            let wave = try await folder.make("sound.wav", "-f lavfi -i sine -t 1")
            #expect(await readingError(wave) == Self.refusal(wave, "WAV / WAVE (Waveform Audio)"))
        }
    }

    /// FFmpeg takes some of it for subtitles.
    @Test func aJSONFileIsNoVideo() async throws {
        try await Files.withFolder { folder in
            let path = try folder.write("a.json", Data(#"{"captions": [], "content": "x", "duration": 3}"#.utf8))
            #expect(await readingError(path) == Self.refusal(path, "TED Talks captions"))
        }
    }

    private static func refusal(_ path: String, _ kind: String) -> String {
        "\(path): has no video stream that is read here, it looks like '\(kind)' "
            + "(mp4, mov, matroska, webm, avi, mpegts, mpeg, flv, ogg, mjpeg are read)"
    }

    /// Lists that name another file, which is a good video.
    @Test(arguments: ["m3u8", "ffconcat", "sdp", "mpd"])
    func aListThatPointsAtAnotherFileIsRefused(_ kind: String) async throws {
        try await Files.withFolder { folder in
            let target = try await folder.video("target.ts", codec: "-c:v mpeg2video")
            let lists = [
                "m3u8": """
                #EXTM3U
                #EXT-X-VERSION:3
                #EXT-X-TARGETDURATION:2
                #EXT-X-MEDIA-SEQUENCE:0
                #EXTINF:2.0,
                \(target)
                #EXT-X-ENDLIST

                """,
                "ffconcat": "ffconcat version 1.0\nfile \(target)\n",
                "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
                "mpd": """
                <?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">
                <Period><AdaptationSet mimeType="video/mp4"><Representation id="1">
                <BaseURL>\(target)</BaseURL></Representation></AdaptationSet></Period></MPD>
                """,
            ]
            let content = try #require(lists[kind])
            for name in ["list.\(kind)", "list.mp4"] {
                let path = try folder.write(name, Data(content.utf8))
                let error = try #require(await readingError(path))
                let refusals = [
                    "\(path): has no video stream that is read here, it looks like '",
                    "\(path): is not a video that is known here (mp4, mov, matroska, webm, avi, mpegts, mpeg, flv, ogg, mjpeg)",
                ]
                #expect(refusals.contains { error.hasPrefix($0) }, "\(error)")
            }
            #expect(await readingError(target) == nil, "the target itself is read")
        }
    }

    @Test func pixelsThatNobodyConvertsAreSaid() async throws {
        try await Files.withFolder { folder in
            let pixels = try folder.write("pixels", Data(count: 64 * 16 * 3))
            let path = try await folder.make(
                "a.avi", "-f rawvideo -pix_fmt uyyvyy411 -s 64x16 -i \(pixels) -c:v rawvideo -tag:v Y411")
            #expect(await readingError(path) == "\(path): pixels of the kind 'uyyvyy411' are not read")
        }
    }

    @Test func sizesAreCheckedBeforeDecoding() async throws {
        try await Files.withFolder { folder in
            let good = try await folder.video("a.avi", frames: 2, codec: "-c:v mpeg4")
            for (width, height, limit) in [
                (16_385, 16, "16384 a side"), (16_000, 16_000, "50000000 in all"),
                (1_000_000, 1_000_000, "16384 a side"),
            ] {
                var data = try Data(contentsOf: URL(fileURLWithPath: good))
                // BITMAPINFOHEADER: its own size, width, height.
                let format = try #require(data.range(of: Data("strf".utf8))).upperBound + 4
                for (offset, side) in [(4, width), (8, height)] {
                    let bytes = ByteBuffer(integer: UInt32(side), endianness: .little).readableBytesView
                    data.replaceSubrange(format + offset..<format + offset + 4, with: bytes)
                }
                let path = try folder.write("big.avi", data)
                #expect(
                    await readingError(path)
                        == "\(path): \(width)x\(height) pixels are more than allowed (\(limit))")
            }
        }
    }

    /// A decoder's own pictures are of whole blocks, 112 x 64 here.
    @Test(arguments: ["mp4", "avi"]) func aVideoOfMorePixelsThanAskedForIsRefused(_ kind: String) async throws {
        try await Files.withFolder { folder in
            let codec = kind == "avi" ? "-c:v mpeg4" : "-c:v libx264 -preset ultrafast -pix_fmt yuv420p"
            let path = try await folder.video("a.\(kind)", size: "100x50", frames: 3, codec: codec)
            let reader = try await VideoReader.open(path, helper: Files.helper, maxPixels: 5000)
            var frames = 0
            while try await reader.next() != nil { frames += 1 }
            await reader.close()
            #expect(frames == 3)
            let error = await #expect(throws: VideoError.self) {
                _ = try await VideoReader.open(path, helper: Files.helper, maxPixels: 4999)
            }
            #expect(error?.message == "\(path): 100x50 pixels are more than allowed (4999 in all)")
            #expect(error.map { VideoReader.isTooLarge($0, maxPixels: 4999) } == true)
        }
    }

    @Test(arguments: ["mp4", "mkv"]) func tooManyStreamsAreRefused(_ kind: String) async throws {
        try await Files.withFolder { folder in
            let maps = Array(repeating: "-map 0", count: 65).joined(separator: " ")
            let path = try await folder.make(
                "a.\(kind)", "-f lavfi -i testsrc2=size=32x32:rate=5 \(maps) -frames:v 2 -c:v mpeg4")
            #expect(
                await readingError(path)
                    == "\(path): has more than 64 streams, or needs more memory than is allowed")
        }
    }

    /// AVI: microseconds of a frame's length, frames a second, and how many frames there are, as its header says.
    @Test(
        arguments: [
            (1, 0, 5), (0, 5, 5), (1, 1_000_000_000, 5), (1_000_000_000, 1, 0), (1, 5, 5),
        ] as [(UInt32, UInt32, Double)])
    func ratesAndCountsThatCannotBeAreNotBelieved(_ scale: UInt32, _ rate: UInt32, _ known: Double) async throws {
        try await Files.withFolder { folder in
            let good = try await folder.video("a.avi", frames: 5, rate: 5, codec: "-c:v mpeg4")
            var data = try Data(contentsOf: URL(fileURLWithPath: good))
            let stream = try #require(data.range(of: Data("strh".utf8))).upperBound + 4
            for (offset, number) in [(20, scale), (24, rate), (32, UInt32.max)] {
                let bytes = ByteBuffer(integer: number, endianness: .little).readableBytesView
                data.replaceSubrange(stream + offset..<stream + offset + 4, with: bytes)
            }
            let (info, frames, damaged) = try await readAll(folder.write("wrong.avi", data))
            #expect(info.frameRate == known && info.frameCount ?? .max >= 5)
            #expect(frames.count == 5 && damaged == 0)
            for (before, after) in zip(frames, frames.dropFirst()) {
                #expect((1...1_000_000).contains(after.captureTime - before.captureTime))
            }
        }
    }

    @Test func aSizeBeyondTheLimitInTheMiddleIsDamage() async throws {
        try await Files.withFolder { folder in
            let h264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0"
            let small = try await folder.video("a.ts", size: "160x120", frames: 10, codec: h264)
            let big = try await folder.video("b.ts", size: "9000x6000", frames: 2, codec: h264)
            let data = try [small, big, small].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
            let (info, frames, damaged) = try await readAll(folder.write("all.ts", data[0] + data[1] + data[2]))
            #expect(info.width == 160 && info.height == 120)
            #expect((18...20).contains(frames.count) && damaged >= 1, "\(frames.count), \(damaged)")
        }
    }

    @Test func aHeaderThatIsCutOffIsSaid() async throws {
        try await Files.withFolder { folder in
            // Index at the end, lost.
            let good = try Data(contentsOf: URL(fileURLWithPath: await folder.video("a.mp4")))
            let path = try folder.write("cut.mp4", good.prefix(good.count / 2))
            let error = try #require(await readingError(path))
            #expect(error.hasPrefix("\(path): ") && error.contains("moov atom not found"), "\(error)")
            for count in [10, 40, 200] {
                let path = try folder.write("short.mp4", good.prefix(count))
                let error = try #require(await readingError(path))
                #expect(error.hasPrefix("\(path): ") && !error.contains("\n"), "\(error)")
            }
        }
    }

    @Test(arguments: ["mp4", "avi", "mkv", "webm", "flv"])
    func aFileThatIsCutOffGivesItsFramesAndThenTheError(_ kind: String) async throws {
        try await Files.withFolder { folder in
            let h264 = "-c:v libx264 -preset ultrafast -bf 0"
            let codecs = [
                "mp4": "\(h264) -movflags +faststart", "avi": "-c:v mjpeg", "webm": "-c:v libvpx -deadline realtime",
            ]
            // Of an FLV more than two seconds have to be missing.
            let good = try await folder.video(
                "a.\(kind)", frames: 50, rate: kind == "flv" ? 5 : 10, codec: codecs[kind] ?? h264)
            #expect(await readingError(good) == nil)
            let data = try Data(contentsOf: URL(fileURLWithPath: good))
            let path = try folder.write("cut.\(kind)", data.prefix(data.count * 6 / 10))
            let reader = try await VideoReader.open(path, helper: Files.helper)
            #expect(reader.info.frameCount == 50)
            var count = 0
            let error = await #expect(throws: VideoError.self) {
                while try await reader.next() != nil { count += 1 }
            }
            #expect((5..<50).contains(count))
            #expect(error?.message == "\(path): ended too early, after \(count) frames: the file is cut off")
        }
    }

    /// Sound that outlasts the pictures, and a last picture that stands for five seconds.
    @Test func anFLVWhoseLastFrameIsLongBeforeItsEndIsWhole() async throws {
        try await Files.withFolder { folder in
            let sound = try await folder.make(
                "sound.flv",
                "-f lavfi -i testsrc2=size=64x48:rate=10:duration=2 -f lavfi -i sine=duration=8 -c:v flv1 -c:a aac")
            let slow = try await folder.make(
                "slow.flv",
                "-f lavfi -i testsrc2=size=64x48:rate=1/5 -frames:v 4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p")
            // FFmpeg takes the time of the last tag for it then, which is one of the sound.
            let live = try folder.write("live.flv", Self.withoutDuration(sound))
            for (path, frames) in [(sound, 20), (slow, 4), (live, 20)] {
                let (info, seen, damaged) = try await readAll(path)
                #expect(seen.count == frames && damaged == 0, "\(path)")
                let last = Duration.microseconds(try #require(seen.last).captureTime)
                let duration = try #require(info.duration)
                #expect(duration - last > .seconds(4), "\(path): \(duration), \(last)")
            }
        }
    }

    @Test func anFLVThatSaysNoDurationJustEnds() async throws {
        try await Files.withFolder { folder in
            let good = try await folder.video(
                "a.flv", frames: 50, rate: 5, codec: "-c:v libx264 -preset ultrafast -bf 0")
            let data = try Self.withoutDuration(good)
            #expect(try await readAll(folder.write("live.flv", data)).frames.count == 50)
            let frames = try await readAll(folder.write("cut.flv", data.prefix(data.count * 6 / 10))).frames
            #expect((5..<50).contains(frames.count))
        }
    }

    /// An FLV as it is recorded by whoever does not go back to its start: its duration is 0.
    private static func withoutDuration(_ path: String) throws -> Data {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        // Behind the name: a byte for the kind, and the number.
        let number = try #require(data.range(of: Data("duration".utf8))).upperBound + 1
        data.replaceSubrange(number..<number + 8, with: Data(count: 8))
        return data
    }

    @Test func damagedPacketsAreSkippedAndCounted() async throws {
        try await Files.withFolder { folder in
            let good = try await folder.video("a.mov", frames: 20, codec: "-c:v png")
            var data = try Data(contentsOf: URL(fileURLWithPath: good))
            // The signatures of three pictures.
            var at = data.startIndex
            for picture in 0..<15 {
                let found = try #require(data.range(of: Data("PNG\r\n".utf8), in: at..<data.endIndex))
                if picture % 5 == 2 { data.replaceSubrange(found, with: Data(count: found.count)) }
                at = found.upperBound
            }
            let (_, frames, damaged) = try await readAll(folder.write("damaged.mov", data))
            #expect(damaged == 3)
            #expect(frames.map(\.index) == (0..<17).map { UInt64($0) })
            let times = frames.map { $0.captureTime / 100_000 }
            #expect(times == [0, 1, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19], "true times")
        }
    }

    /// A decoder of H.264 covers up what it cannot read, and gives every frame.
    @Test(arguments: ["mp4", "mkv", "ts"])
    func errorsThatADecoderCoversUpAreCounted(_ kind: String) async throws {
        try await Files.withFolder { folder in
            // Its arithmetic coding leaves few bits without a meaning.
            let good = try await folder.video(
                "a.\(kind)", frames: 50, codec: "-c:v libx264 -preset veryfast -pix_fmt yuv420p")
            #expect(try await readAll(good).damaged == 0)
            var data = try Data(contentsOf: URL(fileURLWithPath: good))
            for part in 8...14 { data[data.count * part / 16] ^= 0xFF }
            let (_, frames, damaged) = try await readAll(folder.write("flipped.\(kind)", data))
            #expect((2...7).contains(damaged), "\(damaged) packets")
            #expect((45...50).contains(frames.count), "\(frames.count) frames")
        }
    }

    @Test func aFileOfDamageAloneIsAnError() async throws {
        try await Files.withFolder { folder in
            let good = try await folder.video("a.mov", frames: 3, codec: "-c:v png")
            var data = try Data(contentsOf: URL(fileURLWithPath: good))
            while let found = data.range(of: Data("PNG\r\n".utf8)) {
                data.replaceSubrange(found, with: Data(count: found.count))
            }
            let path = try folder.write("damaged.mov", data)
            let error = try #require(await readingError(path))
            #expect(error.hasPrefix("\(path): not one frame could be decoded, damaged packets: 3"), "\(error)")
        }
    }

    @Test func timesThatJumpBackStillRise() async throws {
        try await Files.withFolder { folder in
            let one = try await folder.video("a.ts", frames: 10, codec: "-c:v mpeg2video -bf 0")
            let data = try Data(contentsOf: URL(fileURLWithPath: one))
            let (_, frames, _) = try await readAll(folder.write("twice.ts", data + data))
            #expect(frames.count >= 18)
            for (before, after) in zip(frames, frames.dropFirst()) {
                #expect(before.captureTime < after.captureTime)
                #expect(after.captureTime - before.captureTime <= 200_000)
            }
        }
    }

    @Test func aSizeThatChangesInTheMiddleIsScaledToTheFirst() async throws {
        try await Files.withFolder { folder in
            let small = try await folder.video("a.ts", size: "160x120", frames: 10, codec: "-c:v mpeg2video")
            let big = try await folder.video("b.ts", size: "640x480", frames: 10, codec: "-c:v mpeg2video")
            let data = try [small, big].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
            let (info, frames, _) = try await readAll(folder.write("both.ts", data[0] + data[1]))
            #expect(frames.count >= 18)
            #expect(frames.allSatisfy { $0.pixels.readableBytes == info.frameByteCount })
        }
    }

    @Test func aHelperThatIsNoneIsSaid() async throws {
        try await Files.withFolder { folder in
            /// What reading with this shell script in the helper's place says.
            func said(_ body: String) async throws -> String? {
                await readingError("a.mp4", helper: try await folder.helper(body))
            }
            let missing = folder.path("none")
            let none = await readingError("a.mp4", helper: missing)
            #expect(none == "cannot start \(missing): No such file or directory")
            let silent = try await said("exit 0")
            #expect(silent == "framemesh-video ended with code 0 while reading a.mp4 after 0 frames")
            let speaking = try await said("echo first >&2; echo out of luck >&2; exit 7")
            #expect(
                speaking == "framemesh-video ended with code 7 while reading a.mp4 after 0 frames: out of luck")
            // More than a pipe holds: it must not wait for us, and we must not keep it all.
            let loud = try #require(try await said("head -c 3000000 /dev/zero >&2; exit 7"))
            #expect(loud.hasPrefix("framemesh-video ended with code 7") && loud.utf8.count < 4_000)
            let stranger = try await said("echo what is this; sleep 600")
            #expect(stranger == "framemesh-video sent a record of an unknown kind")
            let early = try await said("printf 'FRAM\\377\\377\\377\\177'; sleep 600")
            #expect(early == "framemesh-video sent a frame before its size")
        }
    }
}
