/// Metadata: ordered, duplicates kept, keys lower case; keys that end in `-bin` carry bytes.
///
/// It never holds a field that gRPC forbids: an illegal one is left out where it would be added, so what came from
/// one peer can always be sent to another (gRPC, `doc/PROTOCOL-HTTP2.md`, "Custom-Metadata").
public struct Metadata: Sendable, Equatable, ExpressibleByDictionaryLiteral, Sequence {
    public enum Content: Sendable, Equatable { case ascii(String), binary([UInt8]) }

    struct Entry: Sendable, Equatable {
        var key: String
        var value: Content
    }
    var entries: [Entry] = []

    public init() {}

    public init(dictionaryLiteral elements: (String, String)...) {
        for (key, value) in elements { add(key, value) }
    }

    /// A `-bin` key gets the bytes of `value`. Of other values, white space at the ends is stripped, as gRPC allows: HTTP/2
    /// forbids it.
    /// - Returns: false if it was left out: the key is reserved or has characters other than `a-z 0-9 _ - .`, or the
    ///   value is not printable ASCII.
    @discardableResult
    public mutating func add(_ key: String, _ value: String) -> Bool {
        if Self.isBinary(key.lowercased()) { return add(key, bytes: Array(value.utf8)) }
        return append(key.lowercased(), .ascii(value), reserved: Self.isReserved)
    }

    /// - Returns: false if it was left out: `key` does not end in `-bin`, is reserved, or has characters other than
    ///   `a-z 0-9 _ - .`.
    @discardableResult
    public mutating func add(_ key: String, bytes: [UInt8]) -> Bool {
        let key = key.lowercased()
        return Self.isBinary(key) && append(key, .binary(bytes), reserved: Self.isReserved)
    }

    mutating func append(_ key: String, _ value: Content, reserved: (String) -> Bool) -> Bool {
        guard Self.isLegal(key: key), !reserved(key) else { return false }
        guard case .ascii(let text) = value else {
            entries.append(Entry(key: key, value: value))
            return true
        }
        if Self.hasSpaceAround(text) { return append(key, .ascii(Self.stripped(text)), reserved: reserved) }
        guard Self.isLegal(value: text) else { return false }
        entries.append(Entry(key: key, value: value))
        return true
    }

    /// The first ASCII value of `key`.
    public subscript(key: String) -> String? {
        let key = key.lowercased()
        for entry in entries where entry.key == key {
            if case .ascii(let text) = entry.value { return text }
        }
        return nil
    }

    /// The first value of `key`, which ends in `-bin`.
    public func bytes(_ key: String) -> [UInt8]? {
        let key = key.lowercased()
        for entry in entries where entry.key == key {
            if case .binary(let bytes) = entry.value { return bytes }
        }
        return nil
    }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }

    public func makeIterator() -> AnyIterator<(key: String, value: Content)> {
        var rest = entries.makeIterator()
        return AnyIterator { rest.next().map { ($0.key, $0.value) } }
    }
}
