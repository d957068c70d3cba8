/// SHA-256 of a bearer token. Tokens are long and random, so that a slow, salted hash would add nothing.
struct TokenDigest: Equatable {
    private let words: SHA256.Digest

    init(token: some StringProtocol) { words = SHA256.digest(of: token.utf8) }

    /// - Parameter hexadecimal: 64 digits.
    init?(hexadecimal: some StringProtocol) {
        guard hexadecimal.utf8.count == 64 else { return nil }
        var words = SHA256.Digest()
        for (index, byte) in hexadecimal.utf8.enumerated() {
            guard let digit = Self.digit(byte) else { return nil }
            words[index / 8] = words[index / 8] << 4 | digit
        }
        self.words = words
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// Which of `digests` this is. The time depends on how many there are, not on what they are.
    func index(in digests: [TokenDigest]) -> Int? {
        var found: UInt32 = 0
        var number: UInt32 = 0
        for digest in digests {
            number += 1
            let difference = digest.words ^ words
            var bits: UInt32 = 0
            for index in 0..<8 { bits |= difference[index] }
            // One if there is no difference, else zero.
            let isEqual = ((bits | (0 &- bits)) >> 31) ^ 1
            found |= (0 &- isEqual) & number
        }
        return found == 0 ? nil : Int(found - 1)
    }
}
