/// Checked against a picture's header before it is decoded.
public struct ImageLimits: Sendable, Hashable {
    /// What either limit may be set to: beyond, sizes in bytes leave 32 bits, and no format but PNG has such sides.
    public static let pixelBounds = 1...500_000_000
    public static let sideBounds = 1...65_535

    public var maxPixels = 50_000_000
    public var maxSide = 16_384
    public init() {}
}
