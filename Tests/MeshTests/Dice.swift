/// A source of chance that always gives the same sequence.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64 = 1) { state = seed }
    mutating func next() -> UInt64 {
        // SplitMix64.
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
