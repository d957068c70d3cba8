import Synchronization

/// Something that happens once, and those who want to be told of it.
struct Ending<Value: Sendable>: ~Copyable, Sendable {
    private struct State {
        var value: Value?
        var listeners: [@Sendable (Value) -> Void] = []
    }

    private let state = Mutex(State())

    /// nil: it has not happened yet.
    var value: Value? { state.withLock { $0.value } }

    /// Calls `action` once when it happens, at once if it has. It must not block.
    func tell(_ action: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state in
            if state.value == nil { state.listeners.append(action) }
            return state.value
        }
        if let value { action(value) }
    }

    /// It happens; only the first time counts. Listeners are called here.
    func happened(_ value: Value) {
        let listeners = state.withLock { state in
            guard state.value == nil else { return [@Sendable (Value) -> Void]() }
            state.value = value
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { listener(value) }
    }
}
