/// Writes one JSON object or array as text, fields in the order in which they are added.
///
/// `JSONEncoder` promises no order; lines that people and scripts compare need one.
package struct JSONText: Sendable {
    /// UTF-8.
    package private(set) var bytes: [UInt8] = []
    /// For each open object or array: whether it has something in it already.
    private var hasElements: [Bool] = []
    private var afterKey = false

    /// Most objects and arrays have no more.
    private static let usualBytes = 2048

    package init() {}

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package static func object(_ fields: (inout JSONText) -> Void) -> String {
        var json = JSONText()
        json.object(fields)
        return json.text
    }

    package mutating func object(_ fields: (inout JSONText) -> Void) { nested("{", "}", fields) }
    package mutating func array(_ elements: (inout JSONText) -> Void) { nested("[", "]", elements) }

    package mutating func array<Elements: Sequence>(
        _ key: String, _ elements: Elements, _ element: (inout JSONText, Elements.Element) -> Void
    ) {
        self.key(key)
        array { json in for value in elements { element(&json, value) } }
    }

    package mutating func object(_ key: String, _ fields: (inout JSONText) -> Void) {
        self.key(key)
        object(fields)
    }

    /// - Parameter value: writes one value.
    package mutating func member(_ key: String, _ value: (inout JSONText) -> Void) {
        self.key(key)
        value(&self)
    }

    /// A member whose value is JSON already.
    package mutating func field(_ key: String, json: String) {
        self.key(key)
        separate()
        append(json)
    }

    package mutating func field(_ key: String, _ value: String) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: some BinaryInteger) {
        self.key(key)
        separate()
        append(String(value))
    }

    package mutating func field(_ key: String, _ value: Bool) {
        self.key(key)
        separate()
        append(value ? "true" : "false")
    }

    /// - Parameter decimals: digits after the point, at most; see `number(_:decimals:)`.
    package mutating func field(_ key: String, _ value: Double, decimals: Int) {
        self.key(key)
        separate()
        append(value, decimals: decimals)
    }

    package mutating func value(_ value: String) {
        separate()
        append(quoted: value)
    }

    private mutating func key(_ key: String) {
        separate()
        append(quoted: key)
        mark(":")
        afterKey = true
    }

    private mutating func separate() {
        if afterKey {
            afterKey = false
        } else if let last = hasElements.indices.last {
            if hasElements[last] { mark(",") }
            hasElements[last] = true
        }
    }

    private mutating func nested(_ open: Unicode.Scalar, _ close: Unicode.Scalar, _ body: (inout JSONText) -> Void) {
        if bytes.isEmpty { bytes.reserveCapacity(Self.usualBytes) }
        separate()
        mark(open)
        hasElements.append(false)
        body(&self)
        hasElements.removeLast()
        mark(close)
    }

    private mutating func append(_ text: String) { bytes += text.utf8 }

    private mutating func mark(_ character: Unicode.Scalar) { bytes.append(UInt8(ascii: character)) }

    /// Rounded to `decimals` (0…9), without zeros at the end. What is no number is `null`: JSON has no NaN.
    package static func number(_ value: Double, decimals: Int) -> String {
        var json = JSONText()
        json.append(value, decimals: decimals)
        return json.text
    }

    private mutating func append(_ value: Double, decimals: Int) {
        guard value.isFinite else { return append("null") }
        var scale = 1
        for _ in 0..<max(0, min(decimals, 9)) { scale *= 10 }
        let scaled = (value * Double(scale)).rounded()
        // Beyond this, a Double has no digits after the point anyway.
        guard abs(scaled) < 0x1p53 else { return append("\(value)") }
        if scaled < 0 { mark("-") }
        var (units, rest) = Int(abs(scaled)).quotientAndRemainder(dividingBy: scale)
        append(String(units))
        if rest > 0 { mark(".") }
        while rest > 0 {
            scale /= 10
            (units, rest) = rest.quotientAndRemainder(dividingBy: scale)
            bytes.append(UInt8(ascii: "0") + UInt8(units))
        }
    }

    /// RFC 8259 section 7. Control characters are escaped, all other text stays as it is.
    package static func quoted(_ string: String) -> String {
        var json = JSONText()
        json.append(quoted: string)
        return json.text
    }

    private mutating func append(quoted string: String) {
        mark("\"")
        if string.utf8.allSatisfy(Self.isPlain) { append(string) } else { append(Self.escaped(string)) }
        mark("\"")
    }

    /// ASCII that stands for itself, as nearly all text is.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func escaped(_ string: String) -> String {
        var text = ""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case _
            where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
