/// Walks the frame headers of what a peer sends, in front of nghttp2: it knows how far the frame goes that is half read,
/// counts the frames that carry nothing, of which nghttp2 tells only some, and looks at those of clients on closed
/// streams, which nghttp2 ignores.
///
/// RFC 9113 wants an error where the client itself had ended the stream (section 5.1), and where it goes back to an id
/// that it left out (section 5.1.1). Memory is small and bounded: a mistake about a stream of long ago is ignored, as
/// are frames on streams that we reset, since they may have been on their way. A value; what is malformed is left to
/// nghttp2.
struct FrameScan {
    /// The connection preface of a client (RFC 9113, section 3.4).
    static let prefaceBytes = 24
    static let headerBytes = 9
    private static let paddedFlag: UInt8 = 8
    static let maxEnded = 128
    static let maxGaps = 16

    private let role: Session.Role
    /// Bytes to pass over before the next frame header.
    private var skip: Int
    /// The part of a frame header that has come.
    private var header: UInt64 = 0
    private var lastByte: UInt8 = 0
    private var headerCount = 0
    /// Padding has no frame of its own: its length is the first byte of the DATA that comes next.
    private var awaitsPadding = false

    private var highest: Int32 = 0
    /// Streams that the client ended, each in the place that its id chooses.
    private var ended = [Int32](repeating: 0, count: maxEnded)
    private var gaps: [ClosedRange<Int32>] = []
    private var nextGap = 0
    /// Streams of a client that a DATA frame has yet to end. `ended` forgets: ends of two streams that have one place there
    /// could follow each other for ever.
    private var endsLeft = 0

    /// - Parameter role: ours.
    init(_ role: Session.Role) {
        self.role = role
        skip = role == .server ? Self.prefaceBytes : 0
    }

    /// The DATA frame without padding that is half read: its stream, and how many of its bytes come next.
    var openData: (stream: Int32, bytes: Int)? {
        guard skip > 0, stream > 0, type == 0, flags & Self.paddedFlag == 0 else { return nil }
        return (stream, skip)
    }

    // Of the last frame header.
    private var type: UInt8 { UInt8(truncatingIfNeeded: header >> 32) }
    private var flags: UInt8 { UInt8(truncatingIfNeeded: header >> 24) }
    private var stream: Int32 { Int32(truncatingIfNeeded: (header & 0x7f_ffff) << 8 | UInt64(lastByte)) }

    /// - Parameter flood: what counts the frames.
    /// - Returns: the mistake, and how many of `bytes` come before it; nil: there is none.
    mutating func scan(
        _ bytes: UnsafeRawBufferPointer, _ flood: inout FloodGuard
    ) -> (before: Int, error: HTTP2Error)? {
        var place = 0
        while place < bytes.count {
            if skip > 0 {
                if awaitsPadding {
                    awaitsPadding = false
                    let padding = unsafe Int(bytes[place])
                    if let trouble = flood.countData(bytes: max(0, skip - 1 - padding)) { return (place, trouble) }
                }
                let step = min(skip, bytes.count - place)
                skip -= step
                place += step
                continue
            }
            if headerCount == 0, bytes.count - place >= Self.headerBytes {
                header = unsafe UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
                lastByte = unsafe bytes[place + 8]
                place += Self.headerBytes
            } else {
                let byte = unsafe bytes[place]
                place += 1
                if headerCount < 8 { header = header << 8 | UInt64(byte) } else { lastByte = byte }
                headerCount += 1
                guard headerCount == Self.headerBytes else { continue }
                headerCount = 0
            }
            skip = Int(header >> 40)
            if let mistake = begins(&flood) { return (max(0, place - Self.headerBytes), mistake) }
        }
        return nil
    }

    private mutating func begins(_ flood: inout FloodGuard) -> HTTP2Error? {
        if let trouble = count(&flood) { return trouble }
        return role == .server ? begins(type, flags, stream) : nil
    }

    /// Of what nghttp2 tells itself (RST_STREAM, SETTINGS, PING, and CONTINUATION, which it bounds), the `Session` keeps count.
    private mutating func count(_ flood: inout FloodGuard) -> HTTP2Error? {
        let hasFirstFlag = flags & 1 != 0
        switch type {
        case 0 where !hasFirstFlag:
            guard flags & Self.paddedFlag == 0 else {
                awaitsPadding = skip > 0
                return nil
            }
            return flood.countData(bytes: skip)
        // Once for each stream, of which a client opens as many as it likes; what follows the end is said to nobody.
        case 0 where role == .client: return skip < FloodLimits.tinyBytes ? flood.countIdle() : nil
        case 0:
            guard endsLeft == 0 else {
                endsLeft -= 1
                return nil
            }
            return flood.countIdle()
        // Of a client those that open no stream, of a server all: those of calls are allowed for by our requests.
        case 1: return role == .client || stream <= highest ? flood.countIdle() : nil
        // nghttp2 ends a connection for a PUSH_PROMISE only where the peer has acknowledged that it may send none; until then
        // it resets what was promised.
        case 2, 5, 7, 8: return flood.countIdle()
        // An answer.
        case 6: return hasFirstFlag ? flood.countIdle() : nil
        case 3, 4, 9: return nil
        default: return flood.countIdle()
        }
    }

    private mutating func begins(_ type: UInt8, _ flags: UInt8, _ stream: Int32) -> HTTP2Error? {
        switch type {
        case 0, 1:
            if stream > highest {
                // An even id is no client's; nghttp2 ends the connection for it.
                if type == 1, stream % 2 == 1 {
                    opened(stream)
                    if flags & 1 == 0 { endsLeft += 1 }
                }
            } else if stream > 0, let mistake = mistake(stream, isHeaders: type == 1) {
                return mistake
            }
            if flags & 1 != 0 { end(stream) }
        // nghttp2 does not look at priorities, which we do not use; their form is checked all the same (section 6.3).
        case 2:
            if stream == 0 {
                return HTTP2Error(.protocolError, "PRIORITY on stream 0", limit: .connectionViolation)
            }
            if skip != 5 {
                return HTTP2Error(.frameSizeError, "PRIORITY of \(skip) bytes", limit: .connectionViolation)
            }
        case 3: if stream <= highest { end(stream) }
        default: break
        }
        return nil
    }

    private mutating func opened(_ stream: Int32) {
        if stream - highest > 2 {
            let gap = (highest + 1)...(stream - 2)
            if gaps.count < Self.maxGaps { gaps.append(gap) } else { gaps[nextGap] = gap }
            nextGap = (nextGap + 1) % Self.maxGaps
        }
        highest = stream
    }

    private mutating func end(_ stream: Int32) { ended[place(of: stream)] = stream }

    private func place(of stream: Int32) -> Int { Int(stream >> 1) & (Self.maxEnded - 1) }

    private func mistake(_ stream: Int32, isHeaders: Bool) -> HTTP2Error? {
        if ended[place(of: stream)] == stream {
            return HTTP2Error(
                .streamClosed, "frame on stream \(stream), which its peer had ended", limit: .connectionViolation)
        }
        if isHeaders, gaps.contains(where: { $0.contains(stream) }) {
            return HTTP2Error(
                .protocolError, "stream \(stream) was opened after stream \(highest)", limit: .connectionViolation)
        }
        return nil
    }
}
