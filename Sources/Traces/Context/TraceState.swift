/// The value of `tracestate`: what other systems of a trace have to say. We add nothing to it.
public struct TraceState: Sendable, Hashable {
    /// As it is sent; empty: nobody says anything.
    public private(set) var text = ""

    /// W3C's own limit.
    static let maxMembers = 32
    /// What is handed on at most; W3C asks for at least that. Whole members are left out beyond it.
    static let maxBytes = 512
    /// Members that are longer go first.
    static let longMember = 128
    private static let maxKeyBytes = 256
    private static let maxValueBytes = 256
    private static let maxTenantBytes = 241
    private static let maxSystemBytes = 14

    public init() {}

    /// - Parameter fields: each value of the header, in order. One bad member, or a key that comes twice, spoils all.
    init(fields: [String]) {
        var members: [Substring] = []
        var keys: Set<Substring> = []
        for field in fields {
            // Nobody has so much to say.
            guard field.utf8.count <= Self.maxMembers * (Self.maxKeyBytes + Self.maxValueBytes + 2) else { return }
            for part in field.split(separator: ",", omittingEmptySubsequences: true) {
                let member = Self.trimmed(part)
                if member.isEmpty { continue }
                guard let key = Self.key(of: member), keys.insert(key).inserted, members.count < Self.maxMembers else {
                    return
                }
                members.append(member)
            }
        }
        text = Self.fitting(members).joined(separator: ",")
    }

    private static func fitting(_ members: [Substring]) -> [Substring] {
        func bytes(_ members: [Substring]) -> Int { members.reduce(members.count - 1) { $0 + $1.utf8.count } }
        var members = members
        while bytes(members) > maxBytes {
            members.remove(at: members.lastIndex { $0.utf8.count > longMember } ?? members.count - 1)
        }
        return members
    }

    /// Without the white space around it.
    private static func trimmed(_ text: Substring) -> Substring {
        func isSpace(_ character: Character) -> Bool { character == " " || character == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }

    /// nil: it is not `key=value` as W3C has it.
    private static func key(of member: Substring) -> Substring? {
        guard let sign = member.firstIndex(of: "=") else { return nil }
        let (key, value) = (member[..<sign], member[member.index(after: sign)...])
        guard isKey(key), !value.isEmpty, value.utf8.count <= maxValueBytes, value.utf8.last != UInt8(ascii: " "),
            value.utf8.allSatisfy({
                (0x20...0x7e).contains($0) && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=")
            })
        else { return nil }
        return key
    }

    private static func isKey(_ key: Substring) -> Bool {
        let parts = key.split(separator: "@", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return isName(parts[0], maxKeyBytes, beginsWithDigit: false)
        case 2:
            return isName(parts[0], maxTenantBytes, beginsWithDigit: true)
                && isName(parts[1], maxSystemBytes, beginsWithDigit: false)
        default: return false
        }
    }

    private static func isName(_ name: Substring, _ limit: Int, beginsWithDigit: Bool) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= limit else { return false }
        let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard letters.contains(first) || (beginsWithDigit && digits.contains(first)) else { return false }
        return name.utf8.allSatisfy { letters.contains($0) || digits.contains($0) || "_-*/".utf8.contains($0) }
    }
}
