/// What stands around the handlers of a server: logging, metrics, authentication, tracing.
///
/// An interceptor is asked once per method, when the server starts, and answers with what it wants to do at each call
/// of that method. So it can look up there what a call needs (a rule, a counter), and a hook that it does not name
/// costs nothing.
///
///     /// Refuses calls without a deadline.
///     struct DeadlineRequired: ServerInterceptor {
///         func hooks(for method: MethodDescription) -> CallHooks {
///             CallHooks(admit: { context in
///                 guard context.deadline != nil else { throw RPCError(.invalidArgument, "a deadline is needed") }
///             })
///         }
///     }
///
/// The interceptors of a server are a list. Calls are admitted in its order, run inside the first one's `around` first,
/// and are reported in the opposite order.
public protocol ServerInterceptor: Sendable {
    /// Called once for each method of the server, and once for `MethodDescription.unknown`.
    func hooks(for method: MethodDescription) -> CallHooks
}

/// What an interceptor does at the calls of one method.
public struct CallHooks: Sendable {
    /// Runs on the event loop as soon as the head of a request is there: before its body is read and before any handler
    /// runs, so it must not block. It may change the context, for example add who calls, or shorten the deadline.
    /// Throwing refuses the call with that status (`RPCErrorConvertible`); nothing of its body is kept.
    public var admit: (@Sendable (inout CallContext) throws -> Void)?

    /// Runs in the task of an `async` handler and must call its argument once, for example within a task-local value.
    /// Throwing instead refuses the call. `.immediate` handlers have no task and run without it.
    public var around: (@Sendable (CallContext, () async throws -> Void) async throws -> Void)?

    /// Runs once for each call that this interceptor has admitted (or had no `admit` for), whatever ended it, on the
    /// event loop: it must not block. The context is what all interceptors have made of it.
    public var finished: (@Sendable (CallContext, CallReport) -> Void)?

    public init(
        admit: (@Sendable (inout CallContext) throws -> Void)? = nil,
        around: (@Sendable (CallContext, () async throws -> Void) async throws -> Void)? = nil,
        finished: (@Sendable (CallContext, CallReport) -> Void)? = nil
    ) {
        self.admit = admit
        self.around = around
        self.finished = finished
    }

    /// Calls pass by.
    public static let none = CallHooks()

    var isNone: Bool { admit == nil && around == nil && finished == nil }
}
