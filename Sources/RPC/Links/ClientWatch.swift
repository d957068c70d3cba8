import HTTP2
import NIOCore

/// The times of one client connection: asks a silent server whether it is there, and ends the connection when it is not
/// or reads nothing; ends calls whose answers are too slow. On the connection's loop; it ticks from `start` to `stop`.
final class ClientWatch {
    private let http2: HTTP2Handler
    private unowned let connection: ClientConnection
    private let interval: TimeAmount
    /// There is a time to look at.
    private let isNeeded: Bool
    private var keepalive: Keepalive?
    private var output: OutputStall?
    private let memoryPatience: Duration?
    private var answers: Arrivals
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
        memoryPatience = configuration.memoryPatience
        answers = Arrivals(configuration.answers)
        let times = [
            time, time == nil ? nil : limits.timeout, configuration.outputTimeout, configuration.memoryPatience,
            configuration.answers.watchedTime,
        ]
        isNeeded = times.contains { $0 != nil }
        interval = WatchInterval.of(times)
    }

    func start(on loop: any EventLoop) {
        guard isNeeded else { return }
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
        lookAtAnswers(now)
        connection.flush()
    }

    private func lookAtAnswers(_ now: NIODeadline) {
        var arriving: [Arrivals.Message] = []
        var late: [(ClientStream, RPCError)] = []
        connection.calls.forEach { call in
            if let ticket = call.ticket {
                guard let patience = memoryPatience, now - ticket.since >= TimeAmount(patience) else { return }
                let error = RPCError(
                    .resourceExhausted, "no memory for the answer within \(patience)", limit: .memoryWait)
                late.append((call, error))
            } else if let stream = call.id, let received = call.arrivedBytes {
                arriving.append(
                    Arrivals.Message(stream: stream, received: received, reserved: call.reader?.reservedBytes ?? 0))
            }
        }
        for stream in answers.tooSlow(at: now, arriving) {
            guard let call = connection.calls[stream] else { continue }
            late.append((call, RPCError(.unavailable, "the answer arrives too slowly", limit: .slowAnswer)))
        }
        for (call, error) in late { connection.finish(call, error) }
    }
}
