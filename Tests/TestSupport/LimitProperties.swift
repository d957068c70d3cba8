public import RPC

/// The numbers of a configuration, by the names of its properties: `keepalive.time`.
public struct Numbers {
    public private(set) var values: [String: String] = [:]
    /// Those that say yes or no.
    public private(set) var switches: Set<String> = []

    private static let numberTypes: [Any.Type] = [
        Int.self, Int?.self, UInt32.self, UInt32?.self, Double.self, Double?.self, Duration.self, Duration?.self,
    ]

    public init(_ configuration: Any) { read(configuration, path: "") }

    private mutating func read(_ value: Any, path: String) {
        for child in Mirror(reflecting: value).children {
            guard let label = child.label else { continue }
            let name = path.isEmpty ? label : "\(path).\(label)"
            let type = type(of: child.value)
            let isNumber = Self.numberTypes.contains { $0 == type }
            if type == Bool.self { switches.insert(name) }
            if isNumber || type == Bool.self {
                values[name] = "\(child.value)"
            } else if Mirror(reflecting: child.value).displayStyle == .struct {
                read(child.value, path: name)
            }
        }
    }

    /// What is not the same in `other`.
    public func changes(to other: Numbers) -> Set<String> { Set(values.keys.filter { values[$0] != other.values[$0] }) }
}

/// Which property each limit sets, and which have none.
public struct LimitProperties {
    /// One of these is a new value for any limit.
    private static let samples = ["off", "on", "17", "20", "0.5", "0.25", "100KiB", "3", "2", "2MiB"]

    public private(set) var named: Set<String> = []
    public private(set) var free: Set<String> = []
    /// What is wrong with the list itself.
    public private(set) var faults: [String] = []

    public init<Root>(_ limits: [Limit<Root>], of standard: Root) {
        let before = Numbers(standard)
        for limit in limits {
            var changed = standard
            for sample in Self.samples where limit.value(in: changed) == limit.value(in: standard) {
                try? limit.set(sample, in: &changed)
            }
            let properties = before.changes(to: Numbers(changed))
            if properties.count != 1 { faults.append("\(limit.name) sets \(properties.sorted())") }
            if !named.isDisjoint(with: properties) { faults.append("\(limit.name) sets what another limit sets") }
            named.formUnion(properties)
        }
        free = Set(before.values.keys).subtracting(before.switches).subtracting(named)
    }
}
