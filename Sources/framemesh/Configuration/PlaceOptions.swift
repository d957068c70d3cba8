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
    func zone(_ settings: Settings) throws -> String { try Self.name(zone ?? settings.string(.zone), "--zone") }

    func cluster(_ settings: Settings) throws -> String {
        try Self.name(cluster ?? settings.string(.cluster), "--cluster")
    }

    private static func name(_ text: String?, _ option: String) throws(Fatal) -> String {
        let text = text ?? ""
        let isName = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "@") }
        guard isName, text.utf8.count <= maxNameLength else {
            throw Fatal("\(option) is '\(text)', it must be at most \(maxNameLength) plain characters", status: .usage)
        }
        return text
    }
}
