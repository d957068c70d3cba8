/// Checked against a picture's header before it is decoded.
public struct ImageLimits: Sendable, Hashable {
    public var maxPixels = 50_000_000
    public var maxSide = 16_384
    public init() {}
}
