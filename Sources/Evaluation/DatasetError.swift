/// What is wrong with a data set, or with predictions for it.
public struct DatasetError: Error, Sendable, CustomStringConvertible {
    public let message: String

    init(_ message: String) { self.message = message }

    public var description: String { message }
}
