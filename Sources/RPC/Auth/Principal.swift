/// Who calls, and what it may do. Made once per credential and shared by all its calls.
public final class Principal: Sendable, CustomStringConvertible {
    /// For logs and for the application; never a secret.
    public let name: String
    public let scopes: Set<String>
    /// Of the name.
    let origin: CallOrigin

    public init(name: String, scopes: Set<String> = []) {
        self.name = name
        self.scopes = scopes
        origin = CallOrigin(principal: name)
    }

    public var description: String { name }
}
