import Messages
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
}
