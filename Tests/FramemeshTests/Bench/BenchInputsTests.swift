import Messages
import NIOCore
import Testing
import Vision

@testable import framemesh

@Suite struct BenchInputsTests {
    @Test func rawPicturesHaveTheirPixels() throws {
        let inputs = try BenchInputs(making: #require(PictureSize("20x10")), isRaw: true)
        #expect(inputs.count == BenchInputs.madePictures && inputs.bytes == inputs.count * 600)
        let frame = inputs.frame(5, stream: "s")
        #expect(frame.encoding == .bgr8 && frame.width == 20 && frame.height == 10 && frame.stream == "s")
        let image = try Image(decoding: frame)
        #expect(image.width == 20 && image.pixels == frame.payload.bytes)
    }

    @Test func madePicturesAreTheSameInEveryRunAndDiffer() throws {
        let size = try #require(PictureSize("64x48"))
        let (one, two) = (try BenchInputs(making: size, isRaw: false), try BenchInputs(making: size, isRaw: false))
        for number in 0..<UInt64(one.count) {
            #expect(one.frame(number).payload.bytes == two.frame(number).payload.bytes)
            let image = try Image(decoding: one.frame(number))
            #expect(image.width == 64 && image.height == 48)
        }
        #expect(one.frame(0).payload.bytes != one.frame(1).payload.bytes)
        #expect(one.frame(0).payload.bytes == one.frame(UInt64(one.count)).payload.bytes)
    }

    @Test func filesAreStretchedAndMadeRaw() async throws {
        let picture = try Resources.demo + "/numbers-01.jpg"
        let size = try #require(PictureSize("64x48"))
        let raw = try await BenchInputs(reading: [.file(picture)], size: size, isRaw: true).frame(0)
        #expect(raw.encoding == .bgr8 && raw.width == 64 && raw.height == 48)
        #expect(raw.payload.bytes.readableBytes == 64 * 48 * 3)
        let small = try await BenchInputs(reading: [.file(picture)], size: size)
        let image = try Image(decoding: small.frame(0))
        #expect(image.width == 64 && image.height == 48 && small.frame(0).encoding == .jpeg)
        let whole = try Image(decoding: try await BenchInputs(reading: [.file(picture)]).frame(0))
        let pixels = try await BenchInputs(reading: [.file(picture)], isRaw: true).frame(0)
        #expect(pixels.width == whole.width && pixels.payload.bytes == whole.pixels)
        // Not the top left corner, but the whole picture made small.
        let expected = try whole.resized(width: 64, height: 48)
        #expect(raw.payload.bytes == expected.pixels)
    }

    /// All of their frames would fail.
    @Test func whatIsNoPictureIsSaidBeforeAnythingIsMeasured() async throws {
        let film = try Resources.demo + "/digits.mp4"
        for (file, words) in [(film, "is a video: `framemesh video`"), (#filePath, "is no JPEG, PNG or WebP")] {
            for size in [nil, PictureSize("8x8")] {
                let error = await #expect(throws: Fatal.self) {
                    try await BenchInputs(reading: [.file(file)], size: size)
                }
                #expect(error?.status == .usage)
                #expect(error?.message?.hasPrefix("\(file): \(words)") == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test func camerasTellTheirOwnTimes() throws {
        let inputs = try BenchInputs(making: #require(PictureSize("8x8")), isRaw: true)
        #expect(inputs.frame(3, interval: .milliseconds(100)).captureTime == 300_000)
        #expect(inputs.frame(3).captureTime == 120_000)
    }
}
