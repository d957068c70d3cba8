extension Span<UInt8> {
    func equals(_ text: StaticString) -> Bool {
        unsafe equals(UnsafeRawPointer(text.utf8Start), count: text.utf8CodeUnitCount)
    }

    func equals(text: String) -> Bool { equals(text.utf8.span) }

    func equals(_ other: Span<UInt8>) -> Bool {
        unsafe other.withUnsafeBytes { unsafe equals($0.baseAddress, count: $0.count) }
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        count >= text.utf8CodeUnitCount && extracting(first: text.utf8CodeUnitCount).equals(text)
    }

    /// Eight bytes at a time.
    private func equals(_ other: UnsafeRawPointer?, count otherCount: Int) -> Bool {
        guard count == otherCount else { return false }
        guard let other = unsafe other, count > 0 else { return true }
        return unsafe withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                let a = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let b = unsafe other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                if a != b { return false }
                index += 8
            }
            while index < bytes.count {
                if unsafe bytes[index] != other.load(fromByteOffset: index, as: UInt8.self) { return false }
                index += 1
            }
            return true
        }
    }

    /// Malformed UTF-8 is repaired.
    var text: String { unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } }
}
