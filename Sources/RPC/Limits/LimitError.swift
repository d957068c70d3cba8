/// Why a limit cannot be set, in one line for people.
public struct LimitError: Error, Sendable, CustomStringConvertible {
    public let message: String
    public var description: String { message }

    init(_ message: String) { self.message = message }
}
