import NIOCore

@testable import RPC

/// The first byte chooses how the others are cut and what the call allows.
enum DeframerTarget {
    static func run(_ bytes: [UInt8]) {
        guard let choice = bytes.first else { return }
        let budget = MemoryBudget(limit: 1 << 20)
        let intake = LargeIntake(windowBytes: 1 << 20)
        let parser = MessageParser(
            takesAttachments: choice & 1 != 0,
            inflater: choice & 2 != 0 ? Inflater(compression: .gzip, maxBytes: 1 << 18, budget: budget) : nil,
            maxMessageBytes: 1 << 18,
            maxAttachmentBytes: 1 << 18)
        var reader = MessageReader(parser: parser, windowBytes: 1 << 16, maxEmptyMessages: 100)
        let step = [1, 3, 5, 64, 1 << 16][Int(choice >> 2) % 5]
        var rest = ByteBuffer(bytes: bytes.dropFirst())
        var hasEnded = false
        while !hasEnded {
            if let piece = rest.readSlice(length: min(step, rest.readableBytes)), piece.readableBytes > 0 {
                reader.receive(piece)
            } else {
                reader.receiveEnd()
                hasEnded = true
            }
            while let output = reader.next(budget, intake) {
                switch output {
                case .message(let payload, _): _ = try? payload.inflated()
                case .park, .queue, .end, .failed: return
                case .credit: break
                }
            }
        }
    }
}
