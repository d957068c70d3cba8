import Testing

@testable import HTTP2

@Suite struct SessionMemoryTests {
    @Test func piecesKeepWhatIsWrittenAndAreUsedAgain() {
        let memory = unsafe SessionMemory.make()
        defer { unsafe SessionMemory.end(memory) }
        var random = SystemRandomNumberGenerator()
        var pieces: [(address: UnsafeMutableRawPointer, size: Int, mark: UInt8)] = unsafe []
        for round in 0..<20_000 {
            let mark = UInt8(truncatingIfNeeded: round)
            let size = Int.random(in: 0...700, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                let address = unsafe memory.pointee.allocate(size)
                unsafe address.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                unsafe pieces.append((address, size, mark))
            case 2 where unsafe !pieces.isEmpty:
                let piece = unsafe pieces.remove(at: Int.random(in: 0..<pieces.count, using: &random))
                let isWhole = unsafe Self.isWhole(piece.address, piece.size, piece.mark)
                #expect(isWhole)
                unsafe memory.pointee.release(piece.address)
            case 3 where unsafe !pieces.isEmpty:
                let piece = unsafe pieces.removeLast()
                let address = unsafe memory.pointee.resize(piece.address, to: size)
                let isWhole = unsafe Self.isWhole(address, min(size, piece.size), piece.mark)
                #expect(isWhole)
                unsafe address.initializeMemory(as: UInt8.self, repeating: mark, count: size)
                unsafe pieces.append((address, size, mark))
            default: break
            }
        }
        while let piece = unsafe pieces.popLast() { unsafe memory.pointee.release(piece.address) }
    }

    private static func isWhole(_ address: UnsafeMutableRawPointer, _ size: Int, _ mark: UInt8) -> Bool {
        unsafe UnsafeRawBufferPointer(start: address, count: size).allSatisfy { $0 == mark }
    }
}
