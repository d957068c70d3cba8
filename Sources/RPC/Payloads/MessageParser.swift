import NIOCore

/// Finds messages in the bytes of one stream. A value: it never waits, reserves nothing, and copies each byte at most
/// once, to its place in a buffer that was made when the prefix told its size.
///
///     prefix ──all bytes──▶ sized ──begin──▶ body ──all bytes──▶ prefix
struct MessageParser {
    enum Step {
        /// All input is used up.
        case needsMore
        /// A message of so many bytes comes; `begin` makes room for it.
        case sized(body: Int, prefix: Int)
        case message(Payload)
        case failed(RPCError)
    }

    private enum State { case prefix, sized, body, failed }

    let takesAttachments: Bool
    /// For messages with the flag `compressed`, which are handed on as they are; nil: the call has no `grpc-encoding`.
    let inflater: Inflater?
    let maxMessageBytes: Int
    let maxAttachmentBytes: Int

    private var state = State.prefix
    private var prefixCount = 0
    private var flags: UInt8 = 0
    private var messageLength: UInt32 = 0
    private var attachmentLength: UInt32 = 0
    private var message: Destination?
    private var attachment: Destination?

    init(takesAttachments: Bool, inflater: Inflater?, maxMessageBytes: Int, maxAttachmentBytes: Int) {
        self.takesAttachments = takesAttachments
        self.inflater = inflater
        self.maxMessageBytes = maxMessageBytes
        self.maxAttachmentBytes = maxAttachmentBytes
    }

    /// No message is half read.
    var isBetweenMessages: Bool { state == .prefix && prefixCount == 0 }

    mutating func next(_ input: inout ByteBuffer) -> Step {
        switch state {
        case .prefix: readPrefix(&input)
        case .sized: size
        case .body: readBody(&input)
        case .failed: .needsMore
        }
    }

    private var hasAttachment: Bool { flags & Framing.attachmentFlag != 0 }
    private var prefixLength: Int { hasAttachment ? Framing.attachmentPrefixBytes : Framing.prefixBytes }
    private var size: Step {
        .sized(body: Int(messageLength) + Int(attachmentLength), prefix: prefixLength)
    }

    private mutating func readPrefix(_ input: inout ByteBuffer) -> Step {
        while let byte: UInt8 = input.readInteger() {
            switch prefixCount {
            case 0:
                flags = byte
                if let error = wrongFlags { return fail(error) }
            case 1...4: messageLength = messageLength << 8 | UInt32(byte)
            default: attachmentLength = attachmentLength << 8 | UInt32(byte)
            }
            prefixCount += 1
            guard prefixCount == prefixLength else { continue }
            if let error = wrongLength { return fail(error) }
            state = .sized
            return size
        }
        return .needsMore
    }

    private var wrongFlags: RPCError? {
        if flags & ~(Framing.compressedFlag | Framing.attachmentFlag) != 0 || (hasAttachment && !takesAttachments) {
            return RPCError(
                .internal, "message has flags \(flags), which are not known in this call", limit: .malformedCall)
        }
        guard flags & Framing.compressedFlag != 0, inflater == nil else { return nil }
        return RPCError(.internal, "message is compressed, but the call has no grpc-encoding", limit: .malformedCall)
    }

    private var wrongLength: RPCError? {
        if messageLength > maxMessageBytes {
            return RPCError(
                .resourceExhausted, "message size \(messageLength) exceeds limit \(maxMessageBytes)",
                limit: .messageBytes)
        }
        if attachmentLength > maxAttachmentBytes {
            return RPCError(
                .resourceExhausted, "attachment size \(attachmentLength) exceeds limit \(maxAttachmentBytes)",
                limit: .attachmentBytes)
        }
        return nil
    }

    /// Makes room for the message that was `sized`.
    /// - Throws: RESOURCE_EXHAUSTED if the system has none.
    mutating func begin() throws(RPCError) {
        guard state == .sized else { return }
        message = try destination(messageLength)
        attachment = hasAttachment ? try destination(attachmentLength) : nil
        state = .body
    }

    private mutating func destination(_ length: UInt32) throws(RPCError) -> Destination {
        if let destination = Destination(size: Int(length)) { return destination }
        state = .failed
        throw MessageReader.noMemory(for: Int(length))
    }

    private mutating func readBody(_ input: inout ByteBuffer) -> Step {
        message?.take(from: &input)
        guard let message, message.isFull else { return .needsMore }
        attachment?.take(from: &input)
        guard attachment?.isFull ?? true else { return .needsMore }
        var payload = Payload(message.bytes, attachment: attachment?.bytes)
        if flags & Framing.compressedFlag != 0 { payload.inflater = inflater }
        self.message = nil
        attachment = nil
        (state, prefixCount, flags, messageLength, attachmentLength) = (.prefix, 0, 0, 0, 0)
        return .message(payload)
    }

    /// Where the next bytes of the body belong, at most `count` of them; nil: they are to be given to `next`.
    func room(upTo count: Int) -> ByteBuffer? {
        guard let message else { return nil }
        return (message.isFull ? attachment : message)?.room(upTo: count)
    }

    private mutating func fail(_ error: RPCError) -> Step {
        state = .failed
        return .failed(error)
    }
}
