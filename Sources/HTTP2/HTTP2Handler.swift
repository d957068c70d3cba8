public import NIOCore

/// Who acts on what a peer did. Called on the event loop; whatever it queues is sent when the call has returned.
public protocol HTTP2Delegate: AnyObject {
    func received(_ event: SessionEvent)
    /// A whole request; `body` is as `data` below.
    func received(stream: Int32, fields: HeaderFields, body: ByteBuffer)
    /// DATA; the bytes are a slice of the receive buffer and are to be copied away at once.
    func received(stream: Int32, data: ByteBuffer)
    /// What came until now has been told.
    func eventsTold()
    /// Where the next bytes of DATA on `stream` belong, at most `bytes` of them: an empty buffer over memory that nobody
    /// reads yet. They are then told of as above, as a slice of it; what comes behind them there is of no meaning, and
    /// the place is given for the next bytes again. nil: they may lie anywhere.
    func room(stream: Int32, upTo bytes: Int) -> ByteBuffer?
    /// The connection is over; no more calls come.
    /// - Parameter reason: nil when both sides said goodbye.
    func ended(_ reason: (any Error)?)
}

extension HTTP2Delegate {
    public func eventsTold() {}
    public func room(stream: Int32, upTo bytes: Int) -> ByteBuffer? { nil }

    public func received(stream: Int32, fields: HeaderFields, body: ByteBuffer) {
        received(.headers(stream: stream, fields: fields, endStream: false))
        received(stream: stream, data: body)
        received(.ended(stream: stream))
    }
}

/// A channel's HTTP/2 connection: the socket end of a `Session`.
///
/// The owner queues frames through `session` and calls `flush()` once at the end of its turn, so that one turn of the
/// loop makes one `writev`. Lives as long as its channel, on its event loop.
public final class HTTP2Handler: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    /// Read to one place at once: more would hold up the other connections of the loop.
    private static let mostAtOnce = 512 << 10
    /// Reads of less are not timed: that would be a part of what a small call costs.
    private static let leastTimed = 16 << 10

    public let session: Session
    /// When the bytes came that are told of now.
    public private(set) var readTime = NIODeadline.now()
    /// How long it took to tell of them, with all that was done then; zero for fewer than `leastTimed`.
    public private(set) var turnTime = TimeAmount.zero
    private var bytesHanded = 0
    private let delegate: any HTTP2Delegate
    private let handshakeTimeout: TimeAmount
    private let began: NIODeadline?
    private let lingerTimeout: TimeAmount
    private var context: ChannelHandlerContext?
    private var handshake: Scheduled<Void>?
    private var linger: Scheduled<Void>?
    private var isFlushing = false
    private var hasEnded = false
    private var isClosing = false
    private var reason: (any Error)?

    /// - Parameters:
    ///   - delegate: held until the channel is closed.
    ///   - handshakeTimeout: how long the peer's first SETTINGS may take.
    ///   - began: when that time began; nil: when the channel is active.
    ///   - lingerTimeout: how long the peer's end may take once both sides have said goodbye.
    public init(
        session: Session, delegate: any HTTP2Delegate, handshakeTimeout: TimeAmount, since began: NIODeadline? = nil,
        lingerTimeout: TimeAmount = .seconds(2)
    ) {
        self.session = session
        self.delegate = delegate
        self.handshakeTimeout = handshakeTimeout
        self.began = began
        self.lingerTimeout = lingerTimeout
    }

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        end(reason)
        self.context = nil
    }

    public func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard handshake == nil else { return }
        let timeout = handshakeTimeout
        let end = (began ?? context.eventLoop.now) + timeout
        handshake = context.eventLoop.assumeIsolated().scheduleTask(deadline: end) { [weak self] in
            self?.fail(
                HTTP2Error(
                    .protocolError, "no HTTP/2 SETTINGS within \(Double(timeout.nanoseconds) / 1e9) s",
                    limit: .handshake))
        }
        flush()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        guard !hasEnded, !isClosing else { return }
        readTime = .now()
        let isTimed = buffer.readableBytes >= Self.leastTimed
        defer { turnTime = isTimed ? .now() - readTime : .zero }
        do throws(HTTP2Error) {
            try session.receive(buffer, now: readTime.uptimeNanoseconds)
            deliver(buffer)
        } catch {
            deliver(buffer)
            fail(error)
        }
    }

    /// Where the bytes belong that the socket has next, if they are surely DATA of one stream, and behind it the head of
    /// the next frame. That is put where the bytes after it belong, which take its place: so large frames that follow each
    /// other are read without a stop between them. Only for a handler that gets what the socket reads: not behind TLS.
    /// - Parameter bytes: for fewer, no room is wanted.
    public func room(atLeast bytes: Int) -> ByteBuffer? {
        guard !hasEnded, !isClosing, let open = session.openData, open.bytes >= bytes,
            let room = delegate.room(
                stream: open.stream, upTo: min(open.bytes + FrameScan.headerBytes, Self.mostAtOnce)),
            room.writableBytes >= bytes
        else { return nil }
        return room
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { flush() }
        context.fireChannelWritabilityChanged()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        reason = reason ?? error
        context.close(promise: nil)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        end(reason)
        context.fireChannelInactive()
    }

    private func deliver(_ buffer: ByteBuffer) {
        var credit = 0
        session.tellEvents { event in
            // One of those before it may have closed the channel, and then the delegate is done.
            guard !hasEnded else { return }
            switch event {
            case .request(let stream, let fields, let offset, let length):
                credit += length
                if let body = buffer.getSlice(at: buffer.readerIndex + offset, length: length) {
                    delegate.received(stream: stream, fields: fields, body: body)
                }
            case .data(let stream, let offset, let length):
                credit += length
                if let data = buffer.getSlice(at: buffer.readerIndex + offset, length: length) {
                    delegate.received(stream: stream, data: data)
                }
            case .settings:
                handshake?.cancel()
                delegate.received(event)
            default: delegate.received(event)
            }
        }
        delegate.eventsTold()
        session.creditConnection(bytes: credit)
    }

    /// Sends what was queued. Does nothing while the socket is full; it goes on when there is room.
    public func flush() {
        guard let context, !isFlushing, !hasEnded, !isClosing else { return }
        isFlushing = true
        defer { isFlushing = false }
        var hasMore = true
        do throws(HTTP2Error) {
            while hasMore, context.channel.isWritable {
                var wrote = false
                hasMore = try session.produce { bytes in
                    wrote = true
                    bytesHanded += bytes.readableBytes
                    context.write(wrapOutboundOut(bytes), promise: nil)
                }
                if wrote { context.flush() }
                // What the delegate queues now is sent in this turn too.
                if session.tellEvents({ if !hasEnded { delegate.received($0) } }) { hasMore = true }
            }
        } catch {
            // Its GOAWAY goes out now, whatever else waits.
            reason = reason ?? error
            session.terminate(error)
            _ = try? session.produce { context.write(wrapOutboundOut($0), promise: nil) }
            context.flush()
            context.close(promise: nil)
            return
        }
        reason = reason ?? session.violation
        if session.isFinished { closeWhenWritten(context) }
    }

    /// The last frames may still wait for room in the socket.
    private func closeWhenWritten(_ context: ChannelHandlerContext) {
        isClosing = true
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { [weak self] _ in
            self?.closeOutput()
        }
    }

    /// Then they may wait for the peer to read them. If it sent anything to a closed socket, a WINDOW_UPDATE for them, the
    /// kernel would reset the connection and drop them. So only our side is closed, and what comes is thrown away until the
    /// peer's end comes, too.
    private func closeOutput() {
        guard let context, !hasEnded else { return }
        // After a mistake nobody is waited for.
        guard reason == nil else { return context.close(promise: nil) }
        let channel = context.channel
        linger = context.eventLoop.assumeIsolated().scheduleTask(in: lingerTimeout) { channel.close(promise: nil) }
        let closed = context.eventLoop.makePromise(of: Void.self)
        closed.futureResult.whenFailure { _ in channel.close(promise: nil) }
        context.close(mode: .output, promise: closed)
    }

    /// What waits for room in the socket.
    public var bytesPending: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// What the socket has taken; with TLS about.
    public var bytesSent: Int { bytesHanded - bytesPending }

    /// Ends the connection and tells the peer why.
    public func fail(_ error: HTTP2Error) {
        guard let context, !hasEnded else { return }
        reason = reason ?? error
        session.terminate(error)
        flush()
        context.close(promise: nil)
    }

    /// Ends the connection without another word.
    public func close(_ error: (any Error)? = nil) {
        reason = reason ?? error
        context?.close(promise: nil)
    }

    private func end(_ reason: (any Error)?) {
        guard !hasEnded else { return }
        hasEnded = true
        handshake?.cancel()
        linger?.cancel()
        delegate.ended(reason)
    }
}
