/// Writes one JSON object or array as text, fields in the order in which they are added.
///
/// `JSONEncoder` promises no order; lines that people and scripts compare need one.
package struct JSONText: Sendable {
    package private(set) var text = ""
    /// For each open object or array: whether it has something in it already.
    private var hasElements: [Bool] = []
    private var afterKey = false

    package init() {}

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
        text += json
    }

    package mutating func field(_ key: String, _ value: String) {
        self.key(key)
        self.value(value)
    }

    package mutating func field(_ key: String, _ value: some BinaryInteger) {
        self.key(key)
        separate()
        text += String(value)
    }

    package mutating func field(_ key: String, _ value: Bool) {
        self.key(key)
        separate()
        text += value ? "true" : "false"
    }

    /// - Parameter decimals: digits after the point, at most; see `number(_:decimals:)`.
    package mutating func field(_ key: String, _ value: Double, decimals: Int) {
        self.key(key)
        separate()
        text += Self.number(value, decimals: decimals)
    }

    package mutating func value(_ value: String) {
        separate()
        text += Self.quoted(value)
    }

    private mutating func key(_ key: String) {
        separate()
        text += Self.quoted(key) + ":"
        afterKey = true
    }

    private mutating func separate() {
        if afterKey {
            afterKey = false
        } else if let last = hasElements.indices.last {
            if hasElements[last] { text += "," }
            hasElements[last] = true
        }
    }

    private mutating func nested(_ open: String, _ close: String, _ body: (inout JSONText) -> Void) {
        separate()
        text += open
        hasElements.append(false)
        body(&self)
        hasElements.removeLast()
        text += close
    }

    /// Rounded to `decimals` (0…9), without zeros at the end. What is no number is `null`: JSON has no NaN.
    package static func number(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return "null" }
        var scale = 1
        for _ in 0..<max(0, min(decimals, 9)) { scale *= 10 }
        let scaled = (value * Double(scale)).rounded()
        // Beyond this, a Double has no digits after the point anyway.
        guard abs(scaled) < 0x1p53 else { return "\(value)" }
        let whole = Int(scaled)
        if whole == 0 { return "0" }
        let (units, rest) = abs(whole).quotientAndRemainder(dividingBy: scale)
        let sign = whole < 0 ? "-" : ""
        if rest == 0 { return sign + String(units) }
        let digits = String(rest)
        var fraction = String(repeating: "0", count: String(scale).count - 1 - digits.count) + digits
        while fraction.hasSuffix("0") { fraction.removeLast() }
        return "\(sign)\(units).\(fraction)"
    }

    /// RFC 8259 section 7. Control characters are escaped, all other text stays as it is.
    package static func quoted(_ string: String) -> String {
        var text = "\""
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
        return text + "\""
    }
}
