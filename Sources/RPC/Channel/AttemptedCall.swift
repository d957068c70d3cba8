/// A streaming call of a channel: its holders do not see on which of its attempts it is.
protocol AttemptedCall: AnyObject, Sendable {
    func send(_ payload: Payload) async throws
    func finishSending()
    /// The next message, perhaps still compressed; nil: status OK.
    func next() async throws -> Payload?
    func initialMetadata() async throws -> Metadata
    var trailers: Metadata { get }
    func cancel()
    func onEnd(_ action: @escaping @Sendable (RPCError?) -> Void)
}

extension AttemptedCall {
    /// A message that cannot be inflated ends the call.
    func inflate(_ payload: Payload) throws(RPCError) -> Payload {
        do {
            return try payload.inflated()
        } catch {
            cancel()
            throw error
        }
    }
}
