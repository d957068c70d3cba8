/// Where in a configuration its value is.
public typealias LimitPath<Root, Value> = any WritableKeyPath<Root, Value> & Sendable

/// One number of a configuration by name, so that a command line, a file or the environment can set it.
///
///     var configuration = ServerConfiguration()
///     try ServerConfiguration.limits.named("max-connection-age").set("90m", in: &configuration)
public struct Limit<Root>: Sendable {
    /// For example `max-concurrent-streams`.
    public let name: String
    /// What it bounds, in one line.
    public let text: String
    public let unit: LimitUnit
    /// What it may be, in the unit's smallest.
    public let range: ClosedRange<Double>
    /// `off` is a value: there is no such limit then.
    public let canBeOff: Bool
    private let read: @Sendable (Root) -> Double?
    private let write: @Sendable (inout Root, Double?) -> Void

    /// - Throws: `LimitError`, in one line, when `value` is none of this limit's; `root` is as it was then.
    public func set(_ value: String, in root: inout Root) throws(LimitError) {
        if canBeOff, value == LimitUnit.off { return write(&root, nil) }
        guard let number = unit.number(value), range.contains(number) else {
            let off = canBeOff ? ", or \(LimitUnit.off)" : ""
            throw LimitError("'\(value)' is no value for the limit \(name): it takes \(unit.words(for: range))\(off)")
        }
        write(&root, number)
    }

    /// As `set` takes it.
    public func value(in root: Root) -> String { read(root).map(unit.text) ?? LimitUnit.off }

    /// The same limit of a configuration that this one's is a part of.
    public func under<Whole>(_ path: LimitPath<Whole, Root>) -> Limit<Whole> {
        Limit<Whole>(
            name: name, text: text, unit: unit, range: range, canBeOff: canBeOff,
            read: { [read] in read($0[keyPath: path]) }, write: { [write] in write(&$0[keyPath: path], $1) })
    }

    /// With `prefix` before its name, where a configuration has two of a kind.
    public func named(after prefix: String) -> Limit {
        Limit(
            name: prefix + name, text: text, unit: unit, range: range, canBeOff: canBeOff, read: read, write: write)
    }

    private init(
        name: String, text: String, unit: LimitUnit, range: ClosedRange<Double>, canBeOff: Bool,
        read: @escaping @Sendable (Root) -> Double?, write: @escaping @Sendable (inout Root, Double?) -> Void
    ) {
        self.name = name
        self.text = text
        self.unit = unit
        self.range = range
        self.canBeOff = canBeOff
        self.read = read
        self.write = write
    }
}

extension Limit {
    /// What fits the fields of HTTP/2 and gRPC.
    public static var wholeNumbers: ClosedRange<Int> { 1...Int(Int32.max) }
    /// A millisecond to a year.
    public static var times: ClosedRange<Duration> { .milliseconds(1)...(.seconds(365 * 86_400)) }

    public init(
        _ name: String, _ path: LimitPath<Root, Int>, _ unit: LimitUnit,
        in range: ClosedRange<Int> = Self.wholeNumbers, _ text: String
    ) {
        self.init(
            name: name, text: text, unit: unit, range: Double(range.lowerBound)...Double(range.upperBound),
            canBeOff: false, read: { Double($0[keyPath: path]) }, write: { $0[keyPath: path] = Int($1 ?? 0) })
    }

    public init(
        _ name: String, _ path: LimitPath<Root, Int?>, _ unit: LimitUnit,
        in range: ClosedRange<Int> = Self.wholeNumbers, _ text: String
    ) {
        self.init(
            name: name, text: text, unit: unit, range: Double(range.lowerBound)...Double(range.upperBound),
            canBeOff: true, read: { $0[keyPath: path].map(Double.init) },
            write: { $0[keyPath: path] = $1.map { Int($0) } })
    }

    public init(
        _ name: String, _ path: LimitPath<Root, Duration>,
        in range: ClosedRange<Duration> = Self.times, _ text: String
    ) {
        self.init(
            name: name, text: text, unit: .seconds, range: range.seconds, canBeOff: false,
            read: { $0[keyPath: path] / .seconds(1) }, write: { $0[keyPath: path] = Duration(limit: $1 ?? 0) })
    }

    public init(
        _ name: String, _ path: LimitPath<Root, Duration?>,
        in range: ClosedRange<Duration> = Self.times, _ text: String
    ) {
        self.init(
            name: name, text: text, unit: .seconds, range: range.seconds, canBeOff: true,
            read: { $0[keyPath: path].map { $0 / .seconds(1) } },
            write: { $0[keyPath: path] = $1.map(Duration.init(limit:)) })
    }

    public init(
        _ name: String, _ path: LimitPath<Root, Double>, in range: ClosedRange<Double>, _ text: String
    ) {
        self.init(
            name: name, text: text, unit: .factor, range: range, canBeOff: false, read: { $0[keyPath: path] },
            write: { $0[keyPath: path] = $1 ?? 0 })
    }

    /// Whether something is allowed: `on` or `off`.
    public init(_ name: String, _ path: LimitPath<Root, Bool>, _ text: String) {
        self.init(
            name: name, text: text, unit: .onOrOff, range: 0...1, canBeOff: false,
            read: { $0[keyPath: path] ? 1 : 0 }, write: { $0[keyPath: path] = $1 == 1 })
    }
}

extension Duration {
    /// To the nanosecond.
    fileprivate init(limit seconds: Double) { self = .nanoseconds(Int64((seconds * 1e9).rounded())) }
}

extension ClosedRange<Duration> {
    fileprivate var seconds: ClosedRange<Double> { (lowerBound / .seconds(1))...(upperBound / .seconds(1)) }
}
