/// Up to eight bytes that need no memory of their own.
public struct ShortBytes: Sendable, Equatable {
    /// The first byte is the lowest.
    private(set) var bits: UInt64 = 0
    public private(set) var count = 0

    public init() {}

    /// A byte, then a big-endian number.
    public init(_ byte: UInt8, _ number: UInt32) {
        bits = UInt64(byte) | UInt64(number.byteSwapped) << 8
        count = 5
    }

    /// Takes the first `count` away, and returns them.
    mutating func removeFirst(_ count: Int) -> ShortBytes {
        var removed = self
        removed.count = count
        bits = count < 8 ? bits >> (8 * UInt64(count)) : 0
        self.count -= count
        return removed
    }

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        unsafe withUnsafeBytes(of: bits.littleEndian) {
            unsafe body(UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
    }
}
