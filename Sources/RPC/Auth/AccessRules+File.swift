extension AccessRules {
    /// Reads a file in the format of `init(text:)`.
    /// - Throws: `RPCError` that names the file and what is wrong with it.
    public init(contentsOf path: String) throws(RPCError) {
        let text = try SmallFile.text(path)
        do {
            try self.init(text: text)
        } catch {
            throw RPCError(.invalidArgument, "'\(path)', \(error.message)").withheld
        }
    }

    /// One rule per line: a service, a method or `*` for everything else, and who may call it. Where there is no rule,
    /// those of `init()` hold.
    ///
    ///     # what                             who
    ///     *                                  known
    ///     shop.v1.Orders                     scopes orders
    ///     shop.v1.Orders/Delete              scopes orders,admin
    ///     grpc.reflection.v1.ServerReflection  anyone
    ///
    /// `anyone` needs no credential, `known` any that is good, `scopes` one that has all of them. Fields are separated by
    /// spaces or tabs. `#` begins a comment at the start of a line.
    ///
    /// - Throws: `RPCError` INVALID_ARGUMENT that names the line.
    public init(text: String) throws(RPCError) {
        self.init()
        var seen: Set<Pattern> = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split { $0 == " " || $0 == "\t" }
            guard let what = fields.first, !what.hasPrefix("#") else { continue }
            func wrong(_ what: String) -> RPCError { RPCError(.invalidArgument, "line \(index + 1): \(what)") }
            guard let pattern = Pattern(parsing: what) else {
                throw wrong("'\(what)' is neither *, SERVICE, nor SERVICE/METHOD")
            }
            guard seen.insert(pattern).inserted else { throw wrong("there is a rule for '\(what)' already") }
            guard let access = Access(parsing: fields.dropFirst()) else {
                throw wrong("who may call is anyone, known, or scopes NAME[,NAME…]")
            }
            self[pattern] = access
        }
    }
}

extension AccessRules.Pattern: CustomStringConvertible {
    fileprivate init?(parsing text: Substring) {
        if text == "*" {
            self = .everything
            return
        }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case _ where parts.contains(""): return nil
        case 1: self = .service(parts[0])
        case 2: self = .method(parts[0], parts[1])
        default: return nil
        }
    }

    /// As in a file of rules.
    public var description: String {
        switch self {
        case .everything: "*"
        case .service(let service): service
        case .method(let service, let method): "\(service)/\(method)"
        }
    }
}

extension AccessRules.Access {
    fileprivate init?(parsing fields: ArraySlice<Substring>) {
        switch (fields.first, fields.count) {
        case ("anyone", 1): self = .open
        case ("known", 1): self = .authenticated
        case ("scopes", 2):
            let scopes = fields.last?.split(separator: ",").map(String.init) ?? []
            guard !scopes.isEmpty else { return nil }
            self = .scopes(Set(scopes))
        default: return nil
        }
    }
}
