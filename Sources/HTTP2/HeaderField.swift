/// One header field. Names are lower case; pseudo headers start with a colon.
public struct HeaderField: Sendable, Equatable {
    public var name: String
    public var value: String
    /// Never put in a compression table (RFC 7541 section 7.1.3).
    public var isSensitive = false

    public init(_ name: String, _ value: String, isSensitive: Bool = false) {
        self.name = name
        self.value = value
        self.isSensitive = isSensitive
    }
}
