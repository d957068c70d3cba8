import HTTP2
import NIOCore

/// The length-prefixed message, and ours with an attachment (docs/wire.md section 3).
enum Framing {
    static let compressedFlag: UInt8 = 0x01
    static let attachmentFlag: UInt8 = 0x80
    static let prefixBytes = 5
    static let attachmentPrefixBytes = 9
    /// Below this, one buffer with prefix and message is cheaper than two.
    static let joinLimit = 4096

    static let plainType = "application/grpc"
    static let attachmentType = "application/grpc+framemesh"
    static let framingHeader = "framemesh-framing"
    static let framingVersion = "attachments/1"

    /// `application/grpc`, with a subtype or parameters.
    static func isGRPC(_ contentType: some StringProtocol) -> Bool {
        guard contentType.hasPrefix(plainType) else { return false }
        guard let next = contentType.utf8.dropFirst(plainType.utf8.count).first else { return true }
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }

    static func isGRPC(_ contentType: Span<UInt8>) -> Bool {
        guard contentType.hasPrefix("application/grpc") else { return false }
        guard contentType.count > plainType.utf8.count else { return true }
        let next = contentType[plainType.utf8.count]
        return next == UInt8(ascii: "+") || next == UInt8(ascii: ";")
    }

    /// The identity in `attachments/1; identity`.
    static func identity(in value: String) -> String? {
        let parts = value.split(separator: ";", maxSplits: 1)
        guard parts.count == 2, parts[0] == framingVersion else { return nil }
        let identity = parts[1].drop { $0 == " " }
        return identity.isEmpty ? nil : String(identity)
    }
}

extension Framing {
    /// What a body has that is one message of at most `maxBytes`, uncompressed, with an attachment or without, and
    /// nothing else; nil: a parser has to look at it.
    static func onlyPayload(in body: ByteBuffer, attachments: Bool, maxBytes: Int) -> Payload? {
        let start = body.readerIndex
        guard let flags = body.getInteger(at: start, as: UInt8.self),
            let message = body.getInteger(at: start + 1, as: UInt32.self), Int(message) <= maxBytes
        else { return nil }
        if flags == 0 {
            guard body.readableBytes == prefixBytes + Int(message) else { return nil }
            return body.getSlice(at: start + prefixBytes, length: Int(message)).map { Payload($0) }
        }
        guard flags == attachmentFlag, attachments,
            let attachment = body.getInteger(at: start + prefixBytes, as: UInt32.self),
            Int(message) + Int(attachment) <= maxBytes,
            body.readableBytes == attachmentPrefixBytes + Int(message) + Int(attachment),
            let first = body.getSlice(at: start + attachmentPrefixBytes, length: Int(message))
        else { return nil }
        let second = body.getSlice(at: start + attachmentPrefixBytes + Int(message), length: Int(attachment))
        return Payload(first, attachment: second)
    }
}

extension ByteBuffer {
    /// In memory of its own.
    init(copyOf other: ByteBuffer) {
        let bytes = other.readableBytes
        self =
            bytes < BufferPool.smallestMessage
            ? ByteBufferAllocator().buffer(capacity: bytes) : BufferPool.shared.buffer(capacity: bytes)
        writeImmutableBuffer(other)
    }

    /// A slice of the readable bytes of `other`, of one byte at least.
    func isPart(of other: ByteBuffer) -> Bool {
        let own = addresses
        return !own.isEmpty && other.addresses.contains(own.lowerBound)
    }

    private var addresses: Range<UInt> {
        unsafe withUnsafeReadableBytes { bytes in
            let start = UInt(bitPattern: bytes.baseAddress)
            return start..<start + UInt(bytes.count)
        }
    }
}

extension Payload {
    /// - Throws: RESOURCE_EXHAUSTED if a length does not fit the prefix.
    func checkLengths() throws(RPCError) {
        guard byteCount <= Int(UInt32.max) else {
            throw RPCError(.resourceExhausted, "message size \(byteCount) exceeds limit \(UInt32.max)")
        }
    }

    /// In memory of its own.
    func copied() -> Payload {
        Payload(ByteBuffer(copyOf: message), attachment: attachment.map { ByteBuffer(copyOf: $0) })
    }

    /// What is a part of `body` gets memory of its own, for whoever keeps it and not `body`.
    mutating func leave(_ body: ByteBuffer) {
        if message.isPart(of: body) { message = ByteBuffer(copyOf: message) }
        if let part = attachment, part.isPart(of: body) { attachment = ByteBuffer(copyOf: part) }
    }

    /// What stands before `message` when there is no attachment.
    var prefix: ShortBytes {
        ShortBytes(isDeflated ? Framing.compressedFlag : 0, UInt32(clamping: message.readableBytes))
    }

    /// Hands the framed message over, piece by piece, without copying large ones.
    /// - Returns: its bytes beyond `byteCount`: the prefix, less the preamble where that is left out.
    func write(attachments: Bool, to body: (ByteBuffer) -> Void) -> Int {
        let isAttached = attachments && attachment != nil
        let first = isAttached ? message.readableBytes : byteCount
        let joins = message.readableBytes <= Framing.joinLimit
        let prefixBytes = isAttached ? Framing.attachmentPrefixBytes : Framing.prefixBytes
        var prefix = ByteBufferAllocator().buffer(capacity: prefixBytes + (joins ? message.readableBytes : 0))
        prefix.writeInteger(
            (isAttached ? Framing.attachmentFlag : 0) | (isDeflated ? Framing.compressedFlag : 0))
        prefix.writeInteger(UInt32(clamping: first))
        if isAttached { prefix.writeInteger(UInt32(clamping: attachment?.readableBytes ?? 0)) }
        if joins { prefix.writeImmutableBuffer(message) }
        body(prefix)
        if !joins { body(message) }
        if let attachment {
            if !isAttached, let preamble { body(preamble) }
            body(attachment)
        }
        return prefixBytes - (isAttached ? preamble?.readableBytes ?? 0 : 0)
    }
}
