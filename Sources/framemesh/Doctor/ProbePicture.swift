import Foundation
import Messages
import NIOCore
import Vision

/// A small picture that the doctor makes itself: shades of grey, with nothing in them to be found.
enum ProbePicture {
    static let width = 64
    static let height = 48
    /// In the answers and logs of those who are asked.
    static let stream = "framemesh-doctor"

    static var frame: Frame {
        var pixels = ByteBuffer()
        for row in 0..<height {
            for column in 0..<width { pixels.writeRepeatingByte(UInt8(clamping: row * 2 + column * 2), count: 3) }
        }
        return Frame(
            stream: stream, encoding: .bgr8, width: width, height: height, payload: .attached(pixels))
    }

    /// For those who take pictures as files only.
    static func png() throws(VisionError) -> Data {
        Data(try Image(decoding: frame).png().readableBytesView)
    }
}
