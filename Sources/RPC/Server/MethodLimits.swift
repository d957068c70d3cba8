/// What one method takes of a call, where it is less than what its server takes (`ServerConfiguration`).
public struct MethodLimits: Sendable, Hashable {
    /// Of a request's message, and of its attachment: on the wire, where the prefix is looked at before a byte has its
    /// place, and inflated. Over it RESOURCE_EXHAUSTED. nil: as much as the server takes.
    public var maxRequestBytes: Int?

    public init(maxRequestBytes: Int? = nil) { self.maxRequestBytes = maxRequestBytes }
}
