/// What became of one frame that was sent.
package struct FrameOutcome: Sendable {
    package enum Ending: Sendable, Equatable {
        case ok
        /// A stage is missing.
        case partial(cause: String)
        /// By the policy of its stream.
        case dropped(cause: String)
        /// There was no room for it.
        case refused(cause: String)
        case failed(cause: String)
    }

    package var ending: Ending
    /// From when it was planned to be sent until its answer was here.
    package var latency: Duration
    /// From when it was planned until it was sent.
    package var delay: Duration = .zero
    /// Names of steps with the microseconds that they took.
    package var stages: [(name: String, microseconds: UInt64)] = []
    package var client: ClientTimes?
    package var detections = 0
    /// Another node answered after one had failed.
    package var isRetried = false
    /// Of its stream.
    package var epoch: UInt32 = 0

    package init(_ ending: Ending, latency: Duration) {
        self.ending = ending
        self.latency = latency
    }

    /// It has a latency.
    package var isAnswer: Bool {
        switch ending {
        case .ok, .partial: true
        case .dropped, .refused, .failed: false
        }
    }
}

/// The parts of a call that its client sees.
package struct ClientTimes: Sendable, Equatable {
    /// Writing the request down.
    package var send: Duration
    /// From then until the answer was here.
    package var wait: Duration
    /// Reading it.
    package var receive: Duration

    package init(send: Duration, wait: Duration, receive: Duration) {
        self.send = send
        self.wait = wait
        self.receive = receive
    }
}
