import ArgumentParser
import Video

// What a camera is asked for, as options name it.

extension CameraSize {
    /// - Parameter text: `WIDTHxHEIGHT`.
    /// - Throws: `ValidationError` that says how a size is written, and how large it may be.
    @Sendable static func read(_ text: String) throws -> CameraSize {
        let sides = text.split(separator: "x", omittingEmptySubsequences: false)
        // `Int` would take a sign.
        let hasNoSign = text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: "x") }
        guard hasNoSign, sides.count == 2, let width = Int(sides[0]), let height = Int(sides[1]),
            let size = CameraSize(width: width, height: height)
        else {
            throw ValidationError(
                "it must be WIDTHxHEIGHT, each 1 to \(maximumSide), at most \(maximumPixels) pixels in all")
        }
        return size
    }
}

extension CameraFormat {
    /// - Throws: `ValidationError` that says what names are like.
    @Sendable static func read(_ text: String) throws -> CameraFormat {
        guard let format = CameraFormat(text) else {
            throw ValidationError(
                """
                it must be FFmpeg's name of a format, as mjpeg or yuyv422: at most \(maximumNameBytes) of a to z, \
                0 to 9 and _
                """)
        }
        return format
    }
}
