package import NIOCore

/// One part of `multipart/x-mixed-replace`.
package enum PicturePart {
    package static let boundary = "framemesh"
    /// Before the first part. Each part has the boundary behind it, so that a browser shows it at once.
    static let start = ByteBuffer(string: "--\(boundary)\r\n")

    /// - Parameters:
    ///   - sequence: of the frame.
    ///   - age: of the frame, now.
    package static func bytes(jpeg: ByteBuffer, sequence: UInt64, age: Duration) -> ByteBuffer {
        var part = ByteBuffer()
        part.reserveCapacity(jpeg.readableBytes + 192)
        part.writeString("Content-Type: image/jpeg\r\nContent-Length: \(jpeg.readableBytes)\r\n")
        part.writeString("X-Frame-Sequence: \(sequence)\r\nX-Frame-Age-Ms: \(Int(age / .milliseconds(1)))\r\n\r\n")
        part.writeImmutableBuffer(jpeg)
        part.writeString("\r\n--\(boundary)\r\n")
        return part
    }
}
