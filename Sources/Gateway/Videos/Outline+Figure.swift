import Areas
import Vision

extension Outline {
    /// A zone with how many are in it, a line with how often it was crossed, forward and backward.
    init(_ figure: AreaFigure) {
        self.init(
            figure.points.map { Corner(x: Float($0.x), y: Float($0.y)) }, isClosed: figure.isZone,
            text: "\(figure.name): \(figure.counts.map(String.init).joined(separator: " / "))")
    }
}
