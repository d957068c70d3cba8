/// What a server knows of one method, ready for its calls.
final class ServerMethod: Sendable {
    let path: String
    /// Inside of the interceptors' `around`.
    let handler: RPCHandler
    /// nil: nobody looks at the calls.
    let chain: InterceptorChain?
    let pace = HandlerPace()

    init(_ handler: RPCHandler, of method: MethodDescription, interceptors: [any ServerInterceptor]) {
        path = method.path
        chain = InterceptorChain(interceptors, method: method)
        self.handler = chain?.wrap(handler) ?? handler
    }
}
