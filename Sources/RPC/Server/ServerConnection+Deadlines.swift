import HTTP2
import NIOCore

/// Deadlines of calls.
extension ServerConnection {
    /// When the bytes came that are looked at now.
    var now: NIODeadline { http2?.readTime ?? .now() }

    /// - Returns: false if it has passed, and the call was answered.
    func watchDeadline(of call: ServerCall) -> Bool {
        guard let deadline = call.context.deadline?.instant else { return true }
        guard deadline > now else {
            expire(call)
            return false
        }
        arm(sweep.add(deadline))
        return true
    }

    /// What was answered may still wait for the client's window; it is dropped when the time of the call is over.
    func watchAnswer(_ stream: Int32, of context: CallContext) {
        guard let deadline = context.deadline?.instant else { return }
        session.expect(stream: stream, by: deadline.uptimeNanoseconds)
        arm(sweep.add(deadline))
    }

    private func dropLateAnswers(_ now: NIODeadline) {
        let (late, next) = session.lateOutputs(at: now.uptimeNanoseconds)
        for stream in late {
            session.cutShort(stream: stream, trailers: context.headers.trailers(Self.expired, [:]))
        }
        if let next { _ = sweep.add(.uptimeNanoseconds(next)) }
    }

    private func arm(_ time: NIODeadline?) {
        guard let time else { return }
        timer?.cancel()
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in self?.lookAtDeadlines() }
    }

    private func lookAtDeadlines() {
        sweep.fired()
        let now = NIODeadline.now()
        calls.forEach { call in
            guard !call.isAnswered, let deadline = call.context.deadline?.instant else { return }
            if deadline <= now { expire(call) } else { _ = sweep.add(deadline) }
        }
        dropLateAnswers(now)
        arm(sweep.armed)
        flush()
    }
}
