import NIOCore

@testable import RPC

/// The first byte chooses how the others are cut, what the call allows, whether others have the memory and the turn
/// first, and whether an open message ends.
enum DeframerTarget {
    private static let windowBytes = 1 << 16
    private static let maxBytes = 1 << 18
    private static let cuts = [1, 3, 5, 64, windowBytes]

    static let isCrowded: UInt8 = 0x40
    static let goesOn: UInt8 = 0x80

    static func run(_ bytes: [UInt8]) {
        guard let choice = bytes.first else { return }
        let budget = MemoryBudget(limit: 4 * maxBytes)
        let intake = LargeIntake(windowBytes: 4 * maxBytes)
        read(ByteBuffer(bytes: bytes.dropFirst()), choice, budget, intake)
        if budget.used + budget.waitingBytes != 0 { fatalError("\(budget.used) bytes are still reserved") }
    }

    /// All memory and every turn, until somebody has waited for them.
    private struct Others {
        var memory: MemoryBudget.Lease?
        var turn: LargeIntake.Part?
    }

    private enum Wait { case memory(Int), turn }

    private static func read(_ bytes: ByteBuffer, _ choice: UInt8, _ budget: MemoryBudget, _ intake: LargeIntake) {
        var others = Others()
        if choice & isCrowded != 0 {
            others.memory = budget.reserve(budget.limit)
            others.turn = intake.begin(bytes: 4 * maxBytes, isNext: true)
        }
        let parser = MessageParser(
            takesAttachments: choice & 1 != 0,
            inflater: choice & 2 != 0 ? Inflater(compression: .gzip, maxBytes: maxBytes, budget: budget) : nil,
            maxMessageBytes: maxBytes, maxAttachmentBytes: maxBytes)
        var reader = MessageReader(parser: parser, windowBytes: windowBytes, maxEmptyMessages: 100)
        let step = cuts[Int(choice >> 2 & 0xf) % cuts.count]
        var rest = bytes
        var zeros = ByteBuffer(repeating: 0, count: choice & goesOn == 0 ? 0 : 2 * maxBytes + 16)
        var hasEnded = false
        while !hasEnded {
            if let piece = rest.readSlice(length: min(step, rest.readableBytes)), piece.readableBytes > 0 {
                reader.receive(piece)
            } else if reader.bytesInMessage != nil, zeros.readableBytes > 0 {
                // The peer goes on, so that large messages end.
                reader.receive(zeros.readSlice(length: min(windowBytes, zeros.readableBytes)) ?? ByteBuffer())
            } else {
                reader.receiveEnd()
                hasEnded = true
            }
            // What waits has one more piece behind it when its time comes.
            var wait: Wait?
            repeat {
                switch wait.take() {
                case .memory(let bytes):
                    others.memory = nil
                    guard let lease = budget.reserve(bytes) else { fatalError("no room for \(bytes) bytes") }
                    reader.granted(lease)
                case .turn:
                    others.turn = nil
                    reader.turnCame()
                case nil: break
                }
                wait = drain(&reader, budget, intake)
                if wait != nil, let piece = rest.readSlice(length: min(step, rest.readableBytes)) {
                    reader.receive(piece)
                }
            } while wait != nil
        }
    }

    /// - Returns: what it waits for before there is more.
    private static func drain(_ reader: inout MessageReader, _ budget: MemoryBudget, _ intake: LargeIntake) -> Wait? {
        while let output = reader.next(budget, intake) {
            switch output {
            case .message(let payload, _): _ = try? payload.inflated()
            case .park(let bytes): return .memory(bytes)
            case .queue: return .turn
            case .end, .failed, .credit: break
            }
        }
        return nil
    }
}
