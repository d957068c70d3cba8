import Threads

/// One line that names the file and what is wrong with it.
public struct VideoError: Error, Sendable, CustomStringConvertible {
    public var message: String
    /// It says nothing of the file: the helper could not be started, was ended by somebody, or is of another version. The
    /// next one may fare better.
    public var isOfHelper: Bool

    public init(_ message: String, isOfHelper: Bool = false) {
        self.message = message
        self.isOfHelper = isOfHelper
    }

    /// No thread serves the helper.
    init(_ error: ThreadError) { self.init("\(error)", isOfHelper: true) }

    public var description: String { message }
}
