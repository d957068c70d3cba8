import NIOCore
import Synchronization

/// Who listens to an answer that goes on, from `begin` to `end`: when it is to hear that we are still there, and whether
/// it is.
final class Listener: Sendable {
    private struct State {
        var isKeepAliveDue = false
        var isGone = false
        var timer: RepeatedTask?
        /// Nil when it is over: the connection may go on, and holds nobody.
        var wake: (@Sendable () -> Void)?
    }

    private let channel: any Channel
    private let keepAlive: Duration?
    private let state: Mutex<State>

    /// - Parameter wake: called when one of both is to be looked at.
    init(on channel: any Channel, keepAlive: Duration?, wake: @escaping @Sendable () -> Void) {
        self.channel = channel
        self.keepAlive = keepAlive
        state = Mutex(State(wake: wake))
    }

    /// The connection is no more.
    var isGone: Bool { state.withLock { $0.isGone } }

    /// Whether it is time for a comment; if so, the next one is due a while later.
    func takeKeepAlive() -> Bool {
        state.withLock { state in
            defer { state.isKeepAliveDue = false }
            return state.isKeepAliveDue
        }
    }

    func begin() {
        channel.eventLoop.execute { [self] in
            // Goes with the answer, not with the connection, on which many may follow.
            let departure = Departure { [self] in wake { $0.isGone = true } }
            do {
                guard channel.isActive else { throw ChannelError.ioOnClosedChannel }
                try channel.pipeline.syncOperations.addHandler(departure, position: .first)
            } catch {
                wake { $0.isGone = true }
            }
        }
        guard let keepAlive else { return }
        let interval = TimeAmount(keepAlive)
        let timer = channel.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { [self] _ in
            wake { $0.isKeepAliveDue = true }
        }
        state.withLock { $0.timer = timer }
    }

    private func wake(_ change: (inout State) -> Void) {
        let wake = state.withLock { state in
            change(&state)
            return state.wake
        }
        wake?()
    }

    func end() {
        let timer = state.withLock { state in
            state.wake = nil
            return state.timer.take()
        }
        timer?.cancel()
        channel.eventLoop.execute { [channel] in
            guard let departure = try? channel.pipeline.syncOperations.handler(type: Departure.self) else { return }
            channel.pipeline.syncOperations.removeHandler(departure, promise: nil)
        }
    }
}

/// A viewer that closes its end of the connection, if only that one, is not there any more: nothing that is written later
/// is looked at, and TCP would not say so before the second piece of it.
private final class Departure: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let isGone: () -> Void

    init(_ isGone: @escaping () -> Void) { self.isGone = isGone }

    func channelInactive(context: ChannelHandlerContext) {
        isGone()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
    }
}
