/// How a call ended.
public struct CallReport: Sendable {
    /// Why it failed, with the cause that the peer is not told; nil for OK.
    public var error: RPCError?
    /// From the head of the request to the status, or to the loss of the stream.
    public var duration: Duration
    public var traffic: CallTraffic
    /// Of a unary call, from its head until its message was here whole; nil: it never was.
    public var receive: Duration?
    /// Of a unary call, from when its handler had the answer until that was given to the connection; nil: the handler ran
    /// on the loop, or gave none.
    public var send: Duration?

    public var code: StatusCode { error?.code ?? .ok }

    public init(error: RPCError?, duration: Duration, traffic: CallTraffic) {
        self.error = error
        self.duration = duration
        self.traffic = traffic
    }
}

/// What has gone over the wire in a call: whole messages, their bytes without prefixes, attachments included.
public struct CallTraffic: Sendable, Equatable {
    public var receivedMessages = 0
    public var receivedBytes = 0
    public var sentMessages = 0
    public var sentBytes = 0

    public init() {}

    mutating func received(_ payload: Payload) {
        receivedMessages += 1
        receivedBytes += payload.byteCount
    }

    mutating func sent(_ payload: Payload) {
        sentMessages += 1
        sentBytes += payload.byteCount
    }
}
