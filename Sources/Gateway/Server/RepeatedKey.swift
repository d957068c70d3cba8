import Foundation

/// A key that stands twice in one object of a JSON text: readers make of it what they like, so it is nobody's wish.
///
///     RepeatedKey.first(in: Data(#"{"a":[{"b":1,"b":2}]}"#.utf8))   // "a[0].b"
struct RepeatedKey {
    private enum Container {
        case object(keys: Set<String>, current: String?)
        case list(index: Int)
    }

    private let bytes: [UInt8]
    private var place = 0
    private var containers: [Container] = []

    /// - Parameter json: that a reader has taken.
    /// - Returns: where it stands; nil: there is none.
    static func first(in json: Data) -> String? {
        var search = RepeatedKey(bytes: Array(json))
        return search.first()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func first() -> String? {
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "{"): containers.append(.object(keys: [], current: nil))
            case UInt8(ascii: "["): containers.append(.list(index: 0))
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = containers.popLast()
            case UInt8(ascii: ","): goOn()
            case UInt8(ascii: "\""):
                let raw = string()
                if isRepeated(raw) { return path }
            default: break
            }
            place += 1
        }
        return nil
    }

    /// Behind a comma: the next key, or the next of the list.
    private mutating func goOn() {
        switch containers.popLast() {
        case .object(let keys, _)?: containers.append(.object(keys: keys, current: nil))
        case .list(let index)?: containers.append(.list(index: index + 1))
        case nil: break
        }
    }

    /// - Returns: whether it is a key that was there already.
    private mutating func isRepeated(_ raw: ArraySlice<UInt8>) -> Bool {
        guard case .object(_, nil)? = containers.last, case .object(var keys, nil)? = containers.popLast() else {
            return false
        }
        let key = Self.text(of: raw)
        let isNew = keys.insert(key).inserted
        containers.append(.object(keys: keys, current: key))
        return !isNew
    }

    /// What is between the quotes of the string that begins here; ends at its last quote.
    private mutating func string() -> ArraySlice<UInt8> {
        place += 1
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return bytes[min(start, bytes.count)..<min(place, bytes.count)]
    }

    /// Two spellings of one key are the same.
    private static func text(of raw: ArraySlice<UInt8>) -> String {
        // Few keys have any, and a decoder for each of them would be dear.
        guard raw.contains(UInt8(ascii: "\\")) else { return String(decoding: raw, as: UTF8.self) }
        let quoted = Data([UInt8(ascii: "\"")] + raw + [UInt8(ascii: "\"")])
        return (try? JSONDecoder().decode(String.self, from: quoted)) ?? String(decoding: raw, as: UTF8.self)
    }

    private var path: String {
        containers.reduce(into: "") { text, container in
            switch container {
            case .object(_, let key): text += (text.isEmpty ? "" : ".") + (key ?? "")
            case .list(let index): text += "[\(index)]"
            }
        }
    }
}
