import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// A request body is wanted: whoever waits for that with `Expect: 100-continue` is told so.
struct BodyWanted: Sendable {}

/// Ends a connection whose request was answered before its body had come: the rest is not worth reading, and where the
/// next request begins is not known without it. The peer is told so (`Connection: close`), our end of the connection
/// closes, and what still comes is thrown away until the peer has seen the answer and goes, or `lingerTimeout` is over.
final class RequestEnds: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var watcher: ConnectionWatcher?
    /// Of the last request that has come.
    private var awaitsContinue = false
    private var isClosing = false
    private var isLingering = false

    func handlerAdded(context: ChannelHandlerContext) {
        watcher = try? context.pipeline.syncOperations.handler(type: ConnectionWatcher.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { watcher = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isLingering { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            awaitsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
            watcher?.watch.headRead()
        case .body(let bytes):
            awaitsContinue = false
            watcher?.watch.bodyRead(bytes.readableBytes)
        case .end:
            awaitsContinue = false
            watcher?.watch.requestEnded(.now())
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where answersEarly && head.status.kind != .informational:
            isClosing = true
            head.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where isClosing:
            isLingering = true
            watcher?.watch.answered(.now())
            context.writeAndFlush(data, promise: promise)
            context.close(mode: .output, promise: nil)
        case .end:
            watcher?.watch.answered(.now())
            context.write(data, promise: promise)
        case .head, .body: context.write(data, promise: promise)
        }
    }

    private var answersEarly: Bool { watcher?.watch.answersEarly ?? false }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isLingering, case ChannelEvent.inputClosed? = event as? ChannelEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if awaitsContinue, watcher?.watch.answersLast ?? false {
            awaitsContinue = false
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        promise?.succeed()
    }
}
