public import Messages
import NIOCore
public import Vision

/// A picture as other senders have it.
public enum PictureForm {
    /// That results are compared in.
    public static let all: [Encoding] = [.jpeg, .png, .bgr8, .rgb8, .nv12, .i420]

    /// The same pixels, decoded from such bytes.
    /// - Parameter encoding: `png` or raw.
    public static func image(_ image: Image, as encoding: Encoding) throws -> Image {
        try Image(decoding: frame(image, as: encoding))
    }

    /// The same pixels, to be sent. `nv12` and `i420` lose most of the colours' sharpness, and the last row and column where
    /// sides are odd.
    /// - Parameter encoding: `png` or raw.
    public static func frame(_ image: Image, as encoding: Encoding) throws -> Frame {
        var bgr = Array(image.pixels.readableBytesView), width = image.width, height = image.height
        switch encoding {
        case .png: return Frame(encoding: .png, payload: .inline(try image.png()))
        case .rgb8: for i in stride(from: 0, to: bgr.count, by: 3) { bgr.swapAt(i, i + 2) }
        case .nv12, .i420:
            bgr = planes(bgr, width, height, encoding)
            (width, height) = (width / 2 * 2, height / 2 * 2)
        default: break
        }
        return Frame(encoding: encoding, width: width, height: height, payload: .inline(ByteBuffer(bytes: bgr)))
    }

    /// BT.601, 16 to 235; each two by two pixels have their mean colour.
    private static func planes(_ pixels: [UInt8], _ width: Int, _ height: Int, _ encoding: Encoding) -> [UInt8] {
        func color(_ x: Int, _ y: Int) -> SIMD3<Float> {
            let at = 3 * (y * width + x)
            return SIMD3(Float(pixels[at]), Float(pixels[at + 1]), Float(pixels[at + 2]))
        }
        func sum(_ color: SIMD3<Float>, _ blue: Float, _ green: Float, _ red: Float, from zero: Float) -> UInt8 {
            UInt8((zero + (color * SIMD3(blue, green, red)).sum()).rounded())
        }
        var luma: [UInt8] = [], u: [UInt8] = [], v: [UInt8] = []
        for y in 0..<height / 2 * 2 {
            for x in 0..<width / 2 * 2 {
                luma.append(sum(color(x, y), 0.098, 0.504, 0.257, from: 16))
                guard x % 2 == 0, y % 2 == 0 else { continue }
                let mean = (color(x, y) + color(x + 1, y) + color(x, y + 1) + color(x + 1, y + 1)) / 4
                u.append(sum(mean, 0.439, -0.291, -0.148, from: 128))
                v.append(sum(mean, -0.071, -0.368, 0.439, from: 128))
            }
        }
        return luma + (encoding == .i420 ? u + v : zip(u, v).flatMap { [$0, $1] })
    }
}
