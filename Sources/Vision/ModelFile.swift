public struct ModelFile: Sendable, Hashable {
    public var name: String
    public var bytes: Int
    /// Lower-case hexadecimal.
    public var sha256: String
    /// Where it is published; nil: not to be pulled.
    public var url: String?
    /// Where it lies on this machine; nil: not here.
    public var path: String?
}
