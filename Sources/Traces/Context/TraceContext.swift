/// Which trace something belongs to, and which span of it is its parent (W3C Trace Context, level 1).
public struct TraceContext: Sendable, Hashable {
    public var trace: TraceID
    public var span: SpanID
    /// The trace is recorded: whoever began it has decided so.
    public var isSampled: Bool
    /// What other systems of the trace have to say, handed on as it came.
    public var state: TraceState

    public init(trace: TraceID, span: SpanID, isSampled: Bool, state: TraceState = TraceState()) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
        self.state = state
    }
}

/// 16 bytes; not all of them are 0.
public struct TraceID: Sendable, Hashable {
    let high, low: UInt64

    init?(high: UInt64, low: UInt64) {
        guard high != 0 || low != 0 else { return nil }
        self.high = high
        self.low = low
    }

    static func random(using random: inout some RandomNumberGenerator) -> TraceID {
        while true {
            if let id = TraceID(high: random.next(), low: random.next()) { return id }
        }
    }

    /// 32 digits.
    public var text: String { Hex.text(high) + Hex.text(low) }

    var bytes: [UInt8] { high.bytes + low.bytes }
}

/// 8 bytes; not all of them are 0.
public struct SpanID: Sendable, Hashable {
    let number: UInt64

    init?(_ number: UInt64) {
        guard number != 0 else { return nil }
        self.number = number
    }

    static func random(using random: inout some RandomNumberGenerator) -> SpanID {
        while true {
            if let id = SpanID(random.next()) { return id }
        }
    }

    /// 16 digits.
    public var text: String { Hex.text(number) }

    var bytes: [UInt8] { number.bytes }
}

extension UInt64 {
    /// The most significant first.
    fileprivate var bytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * UInt64($0))) } }
}

/// Numbers as W3C writes them: all their digits, in lower case.
enum Hex {
    static func text(_ number: UInt64) -> String {
        unsafe String(unsafeUninitializedCapacity: 16) { place in
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 0xf
                unsafe place[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 16
        }
    }

    /// nil: some byte is no digit, or one in upper case.
    static func number(_ digits: some Sequence<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}
