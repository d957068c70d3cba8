/// A method of a server, as interceptors see it.
public struct MethodDescription: Sendable, Hashable {
    /// For example `hello.v1.Greeter`.
    public let service: String
    /// For example `Greet`.
    public let method: String

    public init(service: String, method: String) {
        self.service = service
        self.method = method
    }

    /// Stands for all paths that no service has. Their calls are UNIMPLEMENTED when they have been admitted.
    public static let unknown = MethodDescription(service: "", method: "")

    public var isKnown: Bool { self != .unknown }

    /// As a request names it: `/hello.v1.Greeter/Greet`.
    public var path: String { "/\(service)/\(method)" }

    /// For logs and labels: `hello.v1.Greeter/Greet`, or `unknown`.
    public var name: String { isKnown ? "\(service)/\(method)" : "unknown" }
}
