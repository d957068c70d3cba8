/// How often a classifier names the true class first, or among its first five.
public struct TopAccuracy: Sendable {
    /// What "top-5" looks at.
    public static let depth = 5

    public private(set) var pictures = 0
    private var first = 0
    private var amongFirst = 0

    public init() {}

    /// - Parameter ranked: numbers of classes, best first.
    public mutating func add(truth: Int, ranked: [Int]) {
        pictures += 1
        if ranked.first == truth { first += 1 }
        if ranked.prefix(Self.depth).contains(truth) { amongFirst += 1 }
    }

    /// 0…1; nil: no picture.
    public var top1: Double? { share(first) }
    /// 0…1; nil: no picture.
    public var top5: Double? { share(amongFirst) }

    private func share(_ count: Int) -> Double? { pictures == 0 ? nil : Double(count) / Double(pictures) }
}
