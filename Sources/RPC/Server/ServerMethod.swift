/// What a server knows of one method, ready for its calls.
final class ServerMethod: Sendable {
    let path: String
    /// Inside of the interceptors' `around`.
    let handler: RPCHandler
    /// nil: nobody looks at the calls.
    let chain: InterceptorChain?
    let pace = HandlerPace()
    /// Of a request that takes attachments, or cannot have any.
    let maxMessageBytes: Int
    let maxAttachmentBytes: Int
    /// Of a plain message that may carry pixels as its last field.
    let maxPlainBytes: Int
    /// A length prefix holds no more.
    private static let most = Int(UInt32.max)

    init(
        _ handler: RPCHandler, of method: MethodDescription, limits: MethodLimits = .init(),
        _ configuration: ServerConfiguration, interceptors: [any ServerInterceptor]
    ) {
        path = method.path
        let most = min(limits.maxRequestBytes ?? .max, Self.most)
        maxMessageBytes = min(most, configuration.maxMessageBytes)
        maxAttachmentBytes = min(most, configuration.maxAttachmentBytes)
        let pixels = configuration.attachmentIdentity == nil ? 0 : configuration.maxAttachmentBytes
        maxPlainBytes = min(most, min(configuration.maxMessageBytes, most) + min(pixels, most))
        chain = InterceptorChain(interceptors, method: method)
        self.handler = chain?.wrap(handler) ?? handler
    }
}
