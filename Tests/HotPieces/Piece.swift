/// Something that is done again and again, alone: for each message, each picture, each frame or each call.
struct Piece: Sendable {
    let name: String
    /// How often it is done while it is counted: so often that what begins and ends the count is nothing beside it.
    let turns: Int
    /// What each turn says of itself, as of messages found or bytes made: nothing gets cheap by doing less.
    let result: Int
    /// Makes what it works on, which is not counted, and returns one turn of it.
    let prepare: @Sendable () throws -> () throws -> Int

    init(_ name: String, turns: Int, result: Int, _ prepare: @escaping @Sendable () throws -> () throws -> Int) {
        self.name = name
        self.turns = turns
        self.result = result
        self.prepare = prepare
    }

    static let all = rpc + messages + vision + mesh
}

/// A source of chance that gives the same sequence each time (SplitMix64).
struct Dice: RandomNumberGenerator {
    private var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
