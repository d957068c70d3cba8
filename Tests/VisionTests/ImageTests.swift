import Foundation
import Messages
import NIOCore
import Testing

@testable import Vision

/// Decoding itself is tested against OpenCV in Tests/CVisionTests.
@Suite struct ImageTests {
    /// Rows of one colour each.
    static func stripes(width: Int, height: Int) throws -> Image {
        var pixels = Data()
        for y in 0..<height {
            for _ in 0..<width { pixels.append(contentsOf: [UInt8(y * 5 & 0xFF), 100, 200]) }
        }
        return try Image(decoding: Frame(pixels, .bgr8, width: width, height: height))
    }

    @Test func rawPixelsAreTakenAsTheyAre() throws {
        let image = try Self.stripes(width: 6, height: 4)
        #expect(image.width == 6 && image.height == 4)
        let pixels = Array(image.pixels.readableBytesView)
        #expect(pixels.count == 6 * 4 * 3)
        #expect(Array(pixels[0..<3]) == [0, 100, 200] && Array(pixels[(6 * 3)..<(6 * 3 + 3)]) == [5, 100, 200])
    }

    @Test func rgbBecomesBGRAndPaddingIsSkipped() throws {
        let rows = Data([1, 2, 3, 4, 5, 6, 99, 99, 7, 8, 9, 10, 11, 12])
        let image = try Image(decoding: Frame(rows, .rgb8, width: 2, height: 2, rowStride: 8))
        #expect(Array(image.pixels.readableBytesView) == [3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10])
    }

    @Test func aJPEGThatWasWrittenIsReadAgain() throws {
        let image = try Self.stripes(width: 64, height: 48)
        let jpeg = try image.jpeg(quality: 95)
        let again = try Image(decoding: Frame(payload: .attached(jpeg)))
        #expect(again.width == 64 && again.height == 48)
        let distance = zip(image.pixels.readableBytesView, again.pixels.readableBytesView)
            .map { abs(Int($0) - Int($1)) }.max()
        #expect(try #require(distance) < 24)
        #expect(throws: VisionError.self) { try image.jpeg(quality: 0) }
    }

    @Test func aBadPictureIsNamedInOneLine() throws {
        func message(_ frame: Frame, limits: ImageLimits = .init()) -> String {
            do {
                _ = try Image(decoding: frame, limits: limits)
                return ""
            } catch {
                #expect(error.kind == .badPicture && !error.message.contains("\n"))
                return error.message
            }
        }
        #expect(message(Frame(Data())) == "picture is empty")
        #expect(message(Frame(Data("this is no picture".utf8))).contains("no JPEG, PNG or WebP"))
        #expect(
            message(Frame(Data(count: 100), .bgr8, width: 640, height: 480))
                == "BGR8 of 640 x 480 pixels needs 921600 bytes, not 100")
        #expect(message(Frame(Data(count: 100), .nv12)).contains("no pixels"))
        #expect(message(Frame(Data(count: 9), .gray8, width: .max, height: .max)).contains("exceed the limit"))
        let jpeg = try Self.stripes(width: 64, height: 48).jpeg()
        let half = Data(jpeg.readableBytesView.prefix(jpeg.readableBytes / 2))
        #expect(message(Frame(half)) == "JPEG of \(half.count) bytes is truncated")
        var limits = ImageLimits()
        limits.maxSide = 63
        #expect(
            message(Frame(payload: .inline(jpeg)), limits: limits) == "64 x 48 pixels exceed the limit of 63 a side")
    }

    @Test func drawingLeavesTheOriginalAlone() throws {
        let image = try Self.stripes(width: 200, height: 100)
        let before = image.pixels
        let found = Detection(
            classID: 3, label: "Vögel", confidence: 0.5, box: Box(x: 20, y: 40, width: 60, height: 30), trackID: 7)
        let drawn = image.drawing(
            [found], classes: [Classification(classID: 1, label: "bird", confidence: 0.9)], caption: "camera 1")
        #expect(image.pixels == before)
        #expect(drawn.pixels != before && drawn.width == 200 && drawn.height == 100)
    }

    @Test func whatIsWatchedIsDrawnBelowTheRest() throws {
        let image = try Self.stripes(width: 200, height: 100)
        let corners = [(20, 20), (180, 20), (180, 80)].map { Outline.Corner(x: Float($0.0), y: Float($0.1)) }
        let zone = Outline(corners, isClosed: true, text: "mat: 1")
        let drawn = image.drawing([], outlines: [zone])
        #expect(drawn.pixels != image.pixels)
        // A picture of that, with a box on top.
        let found = Detection(
            classID: 3, label: "cat", confidence: 0.5, box: Box(x: 20, y: 20, width: 160, height: 60), trackID: 7)
        let both = image.drawing([found], outlines: [zone])
        #expect(both.pixels != drawn.pixels && both.pixels != image.drawing([found]).pixels)
    }

    @Test func whatIsHardlyThereIsNotDrawn() throws {
        let image = try Self.stripes(width: 200, height: 100)
        let faint = image.drawing([], classes: [Classification(classID: 1, label: "bird", confidence: 0.004)])
        #expect(faint.pixels == image.pixels)
        let seen = image.drawing([], classes: [Classification(classID: 1, label: "bird", confidence: 0.006)])
        #expect(seen.pixels != image.pixels)
    }

    @Test func aMarkTellsWhatWasFound() {
        let box = Box(x: 0, y: 0, width: 1, height: 1)
        var detection = Detection(classID: 2, label: "car", confidence: 0.914, box: box)
        #expect(Mark(detection) == Mark(box: box, text: "car 0.91", brief: "car 0.91", colour: 2))
        detection.trackID = 12
        #expect(Mark(detection) == Mark(box: box, text: "car 0.91 #12", brief: "car 0.91 #12", colour: 12))
        detection.classes = [Classification(classID: 7, label: "van, minibus", confidence: 1)]
        #expect(Mark(detection).text == "car 0.91 / van 1.00 #12")
        #expect(Mark(detection).brief == "car 0.91 #12")
        #expect(Mark.twoDigits(.nan) == "0.00" && Mark.twoDigits(0.049) == "0.05" && Mark.twoDigits(7) == "1.00")
    }
}
