import NIOCore

extension Payload {
    /// As it goes out in a call of this compression. Done by whoever sends, before the loop sees it.
    func deflated(as compression: Compression) throws(RPCError) -> Payload {
        guard compression != .identity, compresses, !isDeflated, attachment == nil, message.readableBytes > 0 else {
            return self
        }
        var stream = try ZlibStream(deflating: compression)
        var input = message
        var output = ByteBuffer()
        var deflated = self
        // What does not get smaller goes as it is, and is not tried again for the next attempt.
        guard case .ended = stream.run(&input, into: &output, upTo: message.readableBytes - 1) else {
            deflated.compresses = false
            return deflated
        }
        deflated.message = output
        deflated.isDeflated = true
        return deflated
    }

    /// As the consumer sees it.
    func inflated() throws(RPCError) -> Payload {
        guard let inflater else { return self }
        var inflated = self
        (inflated.message, inflated.lease) = try inflater.inflate(
            message, beside: attachment?.readableBytes ?? 0)
        inflated.inflater = nil
        inflated.wasCompressed = true
        return inflated
    }
}
