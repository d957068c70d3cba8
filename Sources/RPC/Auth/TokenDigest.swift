import Crypto

/// SHA-256 of a bearer token. Tokens are long and random, so that a slow, salted hash would add nothing.
struct TokenDigest: Equatable {
    private let bytes: SIMD32<UInt8>

    init(token: some StringProtocol) {
        var hash = SHA256()
        let isContiguous: Void? = token.utf8.withContiguousStorageIfAvailable {
            unsafe hash.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if isContiguous == nil { hash.update(data: Array(token.utf8)) }
        var bytes = SIMD32<UInt8>()
        for (index, byte) in hash.finalize().enumerated() { bytes[index] = byte }
        self.bytes = bytes
    }

    /// - Parameter hexadecimal: 64 digits.
    init?(hexadecimal: some StringProtocol) {
        guard hexadecimal.utf8.count == 64 else { return nil }
        var bytes = SIMD32<UInt8>()
        for (index, byte) in hexadecimal.utf8.enumerated() {
            guard let digit = HexDigit.value(of: byte) else { return nil }
            bytes[index / 2] = bytes[index / 2] << 4 | digit
        }
        self.bytes = bytes
    }

    /// Which of `digests` this is. The time depends on how many there are, not on what they are.
    func index(in digests: [TokenDigest]) -> Int? {
        var found: UInt32 = 0
        var number: UInt32 = 0
        for digest in digests {
            number += 1
            let difference = digest.bytes ^ bytes
            var bits: UInt32 = 0
            for index in 0..<32 { bits |= UInt32(difference[index]) }
            // One if there is no difference, else zero.
            let isEqual = ((bits | (0 &- bits)) >> 31) ^ 1
            found |= (0 &- isEqual) & number
        }
        return found == 0 ? nil : Int(found - 1)
    }
}
