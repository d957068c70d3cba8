/// An error of a handler or an interceptor that says which status its call ends with.
///
///     enum StoreError: Error, RPCErrorConvertible {
///         case noSuchModel(String), broken(any Error)
///
///         var rpcError: RPCError {
///             switch self {
///             case .noSuchModel(let name): RPCError(.notFound, "model '\(name)' is not there")
///             case .broken(let cause): RPCError(.internal, "the store is broken", cause: cause)
///             }
///         }
///     }
///
/// Code, message and metadata go to the peer; the cause stays here, for the log. Any other error ends its call with
/// UNKNOWN and a message that says nothing of it, since it may hold what the peer should not see.
///
/// An error of a call that the handler made, or of a file of this process, is the cause, and the peer gets its code
/// alone. A handler that wants to tell
/// more of it throws an error of its own.
public protocol RPCErrorConvertible: Error {
    var rpcError: RPCError { get }
}

extension RPCError: RPCErrorConvertible {
    public var rpcError: RPCError { self }
}

extension RPCError {
    /// The status of a call whose handler or interceptor threw.
    init(handler error: any Error) {
        switch error {
        case let error as any RPCErrorConvertible:
            self = error.rpcError
            if code == .ok { self = RPCError(.internal, "the call failed with status OK", cause: error) }
            if isWithheld || neverStarted || lostConnection {
                self = RPCError(code, "something that this call needs has failed", cause: error)
            }
            if cause == nil, !(error is RPCError) { cause = error }
        case is CancellationError: self.init(.cancelled, "the call was cancelled")
        default: self.init(.unknown, "the handler failed", cause: error)
        }
    }
}
