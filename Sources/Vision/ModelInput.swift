public import Messages

/// What a model shall look at: a whole picture, or a box of it (clipped to the picture).
public struct ModelInput: Sendable {
    public var image: Image
    public var region: Box?
    public init(_ image: Image, region: Box? = nil) {
        self.image = image
        self.region = region
    }
}
