/// A picture, a model file or a manifest that cannot be used; one line that names the thing.
public struct VisionError: Error, Sendable, CustomStringConvertible {
    public enum Kind: Sendable { case badPicture, badModel, notFound, internalFailure }
    public var kind: Kind
    public var message: String
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
    public var description: String { message }
}
