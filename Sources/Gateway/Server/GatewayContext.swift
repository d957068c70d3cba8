package import Hummingbird
package import NIOCore

/// One request: who sent it, and on which connection.
package struct GatewayContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel
    package var caller: Caller

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        caller = Caller(address: source.channel.remoteAddress)
    }

    /// What Hummingbird calls the route of a request that has none.
    private static let noRoute = "NotFound"

    /// The pattern that the request's path fits, known once it was looked for; nil: there is none.
    var route: String? { endpointPath == Self.noRoute ? nil : endpointPath }
}
