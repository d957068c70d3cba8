import NIOCore

/// The records on the pipes to and from `framemesh-video` (docs/video.md, Sources/framemesh-video/protocol.hpp).
enum Record {
    static let version: UInt32 = 3
    static let headByteCount = 8
    static let frameHeadByteCount = 16
    static let infoByteCount = 56
    static let versionByteCount = 4
    static let endByteCount = 16

    enum Kind: UInt32 {
        case info = 0x4F46_4E49
        case frame = 0x4D41_5246
        case end = 0x5F44_4E45
        case fail = 0x4C49_4146
    }

    /// The start of every record.
    struct Head: Equatable {
        var kind: Kind
        var byteCount: Int

        init(_ kind: Kind, byteCount: Int) {
            self.kind = kind
            self.byteCount = byteCount
        }

        /// - Parameter frameByteCount: pixels of a frame; nil before INFO, when no frame may come.
        init(_ bytes: inout ByteBuffer, frameByteCount: Int?) throws(VideoError) {
            guard let (number, count) = bytes.readMultipleIntegers(endianness: .little, as: (UInt32, UInt32).self),
                let kind = Kind(rawValue: number)
            else { throw VideoError("framemesh-video sent a record of an unknown kind") }
            self.kind = kind
            byteCount = Int(count)
            let allowed: ClosedRange<Int>
            switch kind {
            // That of another version may be shorter.
            case .info: allowed = versionByteCount...(infoByteCount + VideoLimits.maximumTextBytes)
            case .end: allowed = endByteCount...(endByteCount + VideoLimits.maximumTextBytes)
            case .fail: allowed = 0...VideoLimits.maximumTextBytes
            case .frame:
                guard let frameByteCount else { throw VideoError("framemesh-video sent a frame before its size") }
                allowed = (frameHeadByteCount + frameByteCount)...(frameHeadByteCount + frameByteCount)
            }
            guard allowed.contains(byteCount) else {
                throw VideoError("framemesh-video sent a \(kind) record of \(byteCount) bytes")
            }
        }
    }

    /// In place of a number of frames, where there is no end that is known.
    private static let endless: Int64 = -2

    static func info(_ bytes: inout ByteBuffer) throws(VideoError) -> VideoInfo {
        guard let version: UInt32 = bytes.readInteger(endianness: .little) else {
            throw VideoError("framemesh-video sent an empty INFO record")
        }
        guard version == Self.version else {
            throw VideoError(
                "framemesh-video speaks version \(version) of its protocol, not \(Self.version)", isOfHelper: true)
        }
        guard
            let (width, height, rate, count, age, duration, across, down, isExact) = bytes.readMultipleIntegers(
                endianness: .little,
                as: (UInt32, UInt32, UInt64, Int64, Int64, Int64, UInt32, UInt32, UInt32).self)
        else { throw VideoError("framemesh-video sent a short INFO record") }
        guard VideoLimits.allowsSize(Int(width), Int(height)) else {
            throw VideoError("framemesh-video said a size of \(width)x\(height)")
        }
        let old = Duration.microseconds(max(0, age))
        guard old <= VideoLimits.maximumAge else { throw VideoError("framemesh-video said an age of \(old)") }
        let frameRate = Double(bitPattern: rate)
        return VideoInfo(
            width: Int(width), height: Int(height), frameRate: frameRate.isFinite && frameRate > 0 ? frameRate : 0,
            frameCount: count >= 0 ? Int(count) : nil, codec: text(&bytes), isLive: count == endless,
            age: old, duration: duration > 0 ? Duration.microseconds(duration) : nil,
            aspect: PixelAspect(width: Int(across), height: Int(down)) ?? .square,
            isFrameCountExact: count >= 0 && isExact == 1)
    }

    static func frameHead(_ bytes: inout ByteBuffer) throws(VideoError) -> (index: UInt64, captureTime: Int64) {
        guard let head = bytes.readMultipleIntegers(endianness: .little, as: (UInt64, Int64).self) else {
            throw VideoError("framemesh-video sent a short frame record")
        }
        return head
    }

    /// - Returns: `early`: why the reading ended before the end of the file; empty if it did not.
    static func end(_ bytes: inout ByteBuffer) throws(VideoError) -> (frames: UInt64, damaged: UInt64, early: String) {
        guard let (frames, damaged) = bytes.readMultipleIntegers(endianness: .little, as: (UInt64, UInt64).self) else {
            throw VideoError("framemesh-video sent a short END record")
        }
        return (frames, damaged, text(&bytes))
    }

    static func text(_ bytes: inout ByteBuffer) -> String {
        printable(bytes.readableBytesView)
    }

    /// One line that a terminal can show.
    static func printable(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }

    /// What comes before the pixels of a frame.
    static func frame(index: UInt64, captureTime: Int64, pixelByteCount: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(
            Kind.frame.rawValue, UInt32(truncatingIfNeeded: frameHeadByteCount + pixelByteCount), index, captureTime,
            endianness: .little)
        return bytes
    }

    static func end(frames: UInt64) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeMultipleIntegers(
            Kind.end.rawValue, UInt32(endByteCount), frames, UInt64(0), endianness: .little)
        return bytes
    }
}
