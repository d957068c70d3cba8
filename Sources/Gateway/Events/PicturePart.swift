package import NIOCore

/// One part of `multipart/x-mixed-replace`.
package enum PicturePart {
    package static let boundary = "framemesh"
    /// Before the first part. Each part has the boundary behind it, so that a browser shows it at once.
    static let start = ByteBuffer(string: "--\(boundary)\r\n")

    /// - Parameters:
    ///   - sequence: of the frame.
    ///   - age: of the frame, now.
    ///   - pixelAspect: the width of a pixel to its height, which a JPEG cannot tell a browser; square ones go unsaid.
    package static func bytes(
        jpeg: ByteBuffer, sequence: UInt64, age: Duration, pixelAspect: Double = 1
    ) -> ByteBuffer {
        var part = ByteBuffer()
        part.reserveCapacity(jpeg.readableBytes + 192)
        part.writeString("Content-Type: image/jpeg\r\nContent-Length: \(jpeg.readableBytes)\r\n")
        part.writeString("X-Frame-Sequence: \(sequence)\r\nX-Frame-Age-Ms: \(Int(age / .milliseconds(1)))\r\n")
        if pixelAspect != 1 { part.writeString("X-Pixel-Aspect: \(pixelAspect)\r\n") }
        part.writeString("\r\n")
        part.writeImmutableBuffer(jpeg)
        part.writeString("\r\n--\(boundary)\r\n")
        return part
    }
}
