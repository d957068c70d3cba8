/// One of gRPC's `doc/interop-test-descriptions.md`: what the client does, and what it wants to see.
struct TestCase: Sendable {
    let name: String
    /// Throws `Failed`, or the error of a call that should have gone well.
    let run: @Sendable (InteropClient) async throws -> Void

    init(_ name: String, _ run: @escaping @Sendable (InteropClient) async throws -> Void) {
        self.name = name
        self.run = run
    }

    static let all = simple + compressed + ends

    /// - Parameter names: separated by commas, or `all`.
    /// - Throws: `Failed` for a name that is not known.
    static func named(_ names: String) throws -> [TestCase] {
        if names == "all" { return all }
        return try names.split(separator: ",").map { name in
            guard let test = all.first(where: { $0.name == name }) else {
                throw Failed(
                    "test case '\(name)' is not known; there are: \(all.map(\.name).joined(separator: " ")), and all")
            }
            return test
        }
    }
}
