/// The size that a camera is asked for: what this project takes of any picture.
public struct CameraSize: Sendable, Hashable {
    public static let maximumSide = VideoLimits.maximumSide
    public static let maximumPixels = VideoLimits.maximumPixels

    /// Pixels.
    public let width: Int
    public let height: Int

    /// - Returns: nil: a side is less than 1, or it is beyond the limits.
    public init?(width: Int, height: Int) {
        guard VideoLimits.allowsSize(width, height) else { return nil }
        self.width = width
        self.height = height
    }
}

/// What a camera is asked to send, by FFmpeg's name for a codec (`mjpeg`) or for a layout of pixels (`yuyv422`).
public struct CameraFormat: Sendable, Hashable {
    public static let maximumNameBytes = 32

    public let name: String

    /// - Returns: nil: it is not 1 to 32 of a to z, 0 to 9 and _.
    public init?(_ name: String) {
        let isName = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
        guard isName, (1...Self.maximumNameBytes).contains(name.utf8.count) else { return nil }
        self.name = name
    }
}
