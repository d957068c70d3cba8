/// The width of a pixel to its height, as displayed.
public struct PixelAspect: Sendable, Hashable {
    public let width: Int
    public let height: Int

    public static let square = PixelAspect()

    public var ratio: Double { Double(width) / Double(height) }

    private init() {
        width = 1
        height = 1
    }

    /// - Returns: nil: a side is less than 1 or more than 65,535.
    public init?(width: Int, height: Int) {
        let sides = 1...65_535
        guard sides.contains(width), sides.contains(height) else { return nil }
        self.width = width
        self.height = height
    }
}
