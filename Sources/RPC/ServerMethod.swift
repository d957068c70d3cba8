/// What a server knows of one method, ready for its calls.
struct ServerMethod: Sendable {
    /// Inside of the interceptors' `around`.
    let handler: RPCHandler
    /// nil: nobody looks at the calls.
    let chain: InterceptorChain?

    init(_ handler: RPCHandler, of method: MethodDescription, interceptors: [any ServerInterceptor]) {
        chain = InterceptorChain(interceptors, method: method)
        self.handler = chain?.wrap(handler) ?? handler
    }
}
