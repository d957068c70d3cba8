import RPC

/// Which models a node has.
struct ModelNames {
    /// The first one is meant by an empty name.
    let names: [String]

    /// - Throws: NOT_FOUND, naming what there is.
    func index(of name: String) throws(RPCError) -> Int {
        if name.isEmpty { return 0 }
        guard let index = names.firstIndex(of: name) else {
            throw RPCError(.notFound, "no model \"\(name.printable)\" here; there is \(names.joined(separator: ", "))")
        }
        return index
    }
}

extension String {
    /// Outside text for a message of one line.
    var printable: String {
        let shown = unicodeScalars.prefix(64).map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        return String(shown)
    }
}
