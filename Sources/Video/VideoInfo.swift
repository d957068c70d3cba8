/// What a video file says of itself.
public struct VideoInfo: Sendable, Hashable {
    /// Pixels, as displayed (rotation applied).
    public var width: Int
    public var height: Int
    /// Frames a second, the container's word; 0 where unknown.
    public var frameRate: Double
    /// The container's word, or its duration times its frame rate; nil where unknown. Not to be relied on.
    public var frameCount: Int?
    public var codec: String
    /// A camera, or a source that says neither how long it is nor how many bytes come: it has no end that is known.
    public var isLive: Bool
    /// Of a live source: how long ago the zero of its capture times was when it was opened. What it sent until then comes
    /// at once. Zero for files.
    public var age: Duration
    /// Of a file, its container's word; nil where unknown.
    public var duration: Duration?
    /// Frames have the file's own pixels, also where these are not square.
    public var aspect: PixelAspect
    /// The container counts its frames; `frameCount` is no estimate.
    public var isFrameCountExact: Bool

    public init(
        width: Int, height: Int, frameRate: Double, frameCount: Int?, codec: String, isLive: Bool = false,
        age: Duration = .zero, duration: Duration? = nil, aspect: PixelAspect = .square,
        isFrameCountExact: Bool = false
    ) {
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.frameCount = frameCount
        self.codec = codec
        self.isLive = isLive
        self.age = age
        self.duration = duration
        self.aspect = aspect
        self.isFrameCountExact = isFrameCountExact
    }

    /// Bytes of one frame: BGR8, rows packed.
    public var frameByteCount: Int { width * height * 3 }
}
