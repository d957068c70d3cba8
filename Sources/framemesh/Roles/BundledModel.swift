/// What a role, or a benchmark without a mesh, loads when no model is named: it comes with the program.
enum BundledModel {
    static let detector = "digits-detector"
    static let classifier = "digits-classifier"
    /// Of a node that does both.
    static let both = "\(detector),\(classifier)"
}
