/// Names a value that an interceptor leaves in the context of a call for those after it and for the handler.
///
///     enum TraceID: CallValueKey { typealias Value = String }
///     context.values[TraceID.self] = "4bf92f35"
public protocol CallValueKey {
    associatedtype Value: Sendable
}

/// Values of any type, by key. Costs nothing while it is empty.
public struct CallValues: Sendable {
    private var values: [ObjectIdentifier: any Sendable]?

    public init() {}

    public subscript<Key: CallValueKey>(key: Key.Type) -> Key.Value? {
        get { values?[ObjectIdentifier(key)] as? Key.Value }
        set {
            if newValue != nil, values == nil { values = [:] }
            values?[ObjectIdentifier(key)] = newValue
        }
    }
}
