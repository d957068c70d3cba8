extension RPCError {
    /// The status of a call whose handler threw.
    init(handler error: any Error) {
        switch error {
        case let error as RPCError where error.code == .ok:
            self.init(.internal, "handler threw the status OK")
        case let error as RPCError: self = error
        case is CancellationError: self.init(.cancelled, "handler was cancelled")
        default: self.init(.internal, "handler failed: \(error)", cause: error)
        }
    }
}
