/// SHA-256 (FIPS 180-4), for fingerprints of certificates and digests of tokens: a whole cryptography library would take
/// minutes to build for this one function. It allocates nothing, and its time depends on the length alone: it neither
/// branches on the data nor looks anything up by it.
struct SHA256 {
    /// Eight words, the first one first.
    typealias Digest = SIMD8<UInt32>

    static func digest(of bytes: some Sequence<UInt8>) -> Digest {
        var hash = SHA256()
        for byte in bytes { hash.add(byte) }
        return hash.finish()
    }

    /// 64 hexadecimal digits, in lower case.
    static func hexDigest(of bytes: some Sequence<UInt8>) -> String {
        let digest = digest(of: bytes)
        return digest.indices.map { index in
            let digits = String(digest[index], radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private var state = initial
    /// The last sixteen words of the schedule; while a block is filled, its words.
    private var words = InlineArray<16, UInt32>(repeating: 0)
    private var count = 0

    private mutating func add(_ byte: UInt8) {
        let index = count % 64
        // Four bytes push out what was there.
        words[index / 4] = words[index / 4] << 8 | UInt32(byte)
        count += 1
        if index == 63 { compress() }
    }

    private mutating func finish() -> Digest {
        let bits = UInt64(count) * 8
        add(0x80)
        while count % 64 != 56 { add(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) { add(UInt8(truncatingIfNeeded: bits >> shift)) }
        return state
    }

    private mutating func compress() {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for index in 0..<64 {
            if index >= 16 { extend(to: index) }
            let large1 = Self.rotate(e, 6) ^ Self.rotate(e, 11) ^ Self.rotate(e, 25)
            let choice = (e & f) ^ (~e & g)
            let first = h &+ large1 &+ choice &+ Self.constants[index] &+ words[index & 15]
            let large0 = Self.rotate(a, 2) ^ Self.rotate(a, 13) ^ Self.rotate(a, 22)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ large0 &+ majority)
        }
        state &+= Digest(a, b, c, d, e, f, g, h)
    }

    /// The word of the schedule at `index`, in the place of the one sixteen before.
    private mutating func extend(to index: Int) {
        let (early, late) = (words[(index - 15) & 15], words[(index - 2) & 15])
        let small0 = Self.rotate(early, 7) ^ Self.rotate(early, 18) ^ early >> 3
        let small1 = Self.rotate(late, 17) ^ Self.rotate(late, 19) ^ late >> 10
        words[index & 15] = words[index & 15] &+ small0 &+ words[(index - 7) & 15] &+ small1
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word &>> count | word &<< (32 &- count) }

    private static let initial = Digest(
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19)
    private static let constants: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}
