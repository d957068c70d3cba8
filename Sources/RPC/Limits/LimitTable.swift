extension Array {
    /// - Throws: `LimitError` that names the nearest one, if there is none of that name.
    public func named<Root>(_ name: some StringProtocol) throws(LimitError) -> Limit<Root>
    where Element == Limit<Root> {
        if let limit = first(where: { $0.name == name }) { return limit }
        let near = Spelling.nearest(to: String(name), of: map(\.name)).map { ", did you mean '\($0)'?" } ?? ""
        throw LimitError("there is no limit '\(name)'\(near)")
    }

    /// Sets what an argument of a command line says.
    /// - Parameter assignment: `NAME=VALUE`.
    /// - Throws: `LimitError`, in one line.
    public func set<Root>(_ assignment: String, in root: inout Root) throws(LimitError)
    where Element == Limit<Root> {
        guard let sign = assignment.firstIndex(of: "=") else {
            throw LimitError("'\(assignment)' is not NAME=VALUE")
        }
        try named(assignment[..<sign]).set(String(assignment[assignment.index(after: sign)...]), in: &root)
    }
}
