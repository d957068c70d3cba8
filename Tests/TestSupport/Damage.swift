public import NIOCore

/// What a line, or a peer, may do to one message.
public enum Damage {
    /// Every truncation of `whole`, and `whole` with each of its bits flipped.
    public static func each(of whole: ByteBuffer, _ take: (ByteBuffer) throws -> Void) rethrows {
        for length in 0..<whole.readableBytes {
            if let cut = whole.getSlice(at: whole.readerIndex, length: length) { try take(cut) }
        }
        for place in whole.readerIndex..<whole.writerIndex {
            guard let byte: UInt8 = whole.getInteger(at: place) else { continue }
            for bit in 0..<8 {
                var flipped = whole
                flipped.setInteger(byte ^ (1 << bit), at: place)
                try take(flipped)
            }
        }
    }
}
