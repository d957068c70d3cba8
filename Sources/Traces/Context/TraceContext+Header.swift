/// The headers `traceparent` and `tracestate`, of HTTP and of RPC's metadata.
extension TraceContext {
    public static let parentField = "traceparent"
    public static let stateField = "tracestate"

    private static let length = 55
    private static let sampledFlag: UInt64 = 1

    /// What the fields of a request say. What is wrong with them is not an error: whoever sends nonsense is one who sends
    /// nothing.
    /// - Parameters:
    ///   - parents: each value of `traceparent`. Two of them are none.
    ///   - states: each value of `tracestate`, in order.
    public init?(parents: [String], states: [String]) {
        guard parents.count == 1, var context = Self.parse(parents[0]) else { return nil }
        context.state = TraceState(fields: states)
        self = context
    }

    private static func parse(_ text: String) -> TraceContext? {
        let bytes = Array(text.utf8)
        guard bytes.count >= length, let version = Hex.number(bytes[0..<2]), version != 0xff,
            // Later versions may say more behind another dash.
            bytes.count == length || (version != 0 && bytes[length] == UInt8(ascii: "-")),
            [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            let high = Hex.number(bytes[3..<19]), let low = Hex.number(bytes[19..<35]),
            let span = Hex.number(bytes[36..<52]), let flags = Hex.number(bytes[53..<55]),
            let trace = TraceID(high: high, low: low), let span = SpanID(span)
        else { return nil }
        return TraceContext(trace: trace, span: span, isSampled: flags & sampledFlag != 0)
    }

    /// The value of `traceparent`.
    public var parent: String { "00-\(trace.text)-\(span.text)-\(isSampled ? "01" : "00")" }
}
