public import Messages
public import RPC

extension Payload {
    /// The wire form of `value`; its pixels become the attachment.
    public init(_ value: some WireCodable) {
        let wire = value.encode()
        self.init(wire.message, preamble: wire.preamble, attachment: wire.pixels)
    }
}

extension UnaryResponse {
    /// Without metadata.
    init(_ value: some WireCodable) { self.init(Payload(value)) }
}

extension WireCodable {
    /// - Throws: `RPCError` INVALID_ARGUMENT if the bytes are not such a message.
    public static func decode(_ payload: Payload) throws(RPCError) -> Self {
        do {
            return try decode(WireMessage(message: payload.message, pixels: payload.attachment))
        } catch {
            throw RPCError(.invalidArgument, error.message, limit: .protobuf)
        }
    }
}
