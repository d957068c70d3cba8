import HTTP2
import NIOCore

/// The times of one client connection: asks a silent server whether it is there, and ends the connection when it is not
/// or reads nothing. On the connection's loop; it ticks from `start` to `stop`.
final class ClientWatch {
    private let http2: HTTP2Handler
    private unowned let connection: ClientConnection
    private let interval: TimeAmount
    private var keepalive: Keepalive?
    private var output: OutputStall?
    private var ticker: LoopTicker?

    private static let keepalivePing: UInt64 = 0x616c_6976_653f_3f3f

    init(_ connection: ClientConnection, http2: HTTP2Handler, configuration: ClientConfiguration) {
        self.connection = connection
        self.http2 = http2
        let (limits, time) = (configuration.keepalive, configuration.keepalive.effectiveTime)
        keepalive = time.map {
            Keepalive(time: $0, timeout: limits.timeout, permitWithoutCalls: limits.permitWithoutCalls)
        }
        output = OutputStall(timeout: configuration.outputTimeout)
        interval = WatchInterval.of([time, time == nil ? nil : limits.timeout, configuration.outputTimeout])
    }

    func start(on loop: any EventLoop) {
        guard keepalive != nil || output != nil else { return }
        ticker = LoopTicker(every: interval, on: loop)
        ticker?.start { [weak self] in self?.tick(.now()) }
    }

    func stop() {
        ticker?.stop()
        ticker = nil
    }

    private func tick(_ now: NIODeadline) {
        switch keepalive?.step(at: now, lastRead: http2.readTime, hasCalls: connection.hasCalls) ?? .none {
        case .none: break
        case .ping: http2.session.ping(Self.keepalivePing)
        case .giveUp: return http2.close(HTTP2Error(.noError, "keepalive: no answer from the peer", limit: .keepalive))
        }
        if output?.isStalled(at: now, sent: http2.bytesSent, pending: http2.bytesPending) == true {
            return http2.close(HTTP2Error(.noError, "the peer reads nothing", limit: .stalledOutput))
        }
        connection.flush()
    }
}
