import ArgumentParser

/// Where a role is, and to which mesh it belongs.
struct PlaceOptions: ParsableArguments {
    static let maxNameLength = 63

    @Option(
        help: ArgumentHelp("The zone; a coordinator prefers nodes of its own while they have room.", valueName: "name"))
    var zone: String?

    @Option(
        help: ArgumentHelp(
            "The mesh it belongs to; a coordinator that names its mesh takes no nodes of another.", valueName: "name"))
    var cluster: String?

    /// Empty: none is named.
    func zone(_ settings: Settings) throws -> String { try Self.name(zone, .zone, settings) }

    func cluster(_ settings: Settings) throws -> String {
        try Self.name(cluster, .cluster, settings)
    }

    private static func name(_ flag: String?, _ key: Settings.Key, _ settings: Settings) throws(Fatal) -> String {
        let text = flag ?? settings.string(key) ?? ""
        let isName = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "@") }
        guard isName, text.utf8.count <= maxNameLength else {
            let name = flag == nil ? settings.origin(of: key.rawValue) : "--\(key.rawValue)"
            throw Fatal("\(name) is '\(text)', it must be at most \(maxNameLength) plain characters", status: .usage)
        }
        return text
    }
}
