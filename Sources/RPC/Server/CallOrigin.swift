/// Whose calls have something together, as a number: all from one IPv4 address or one /64 of IPv6, all on one connection
/// of a Unix-domain socket, or all of one known caller (`Principal`). The numbers of an address and of a name are the same
/// in all processes, and say neither.
public struct CallOrigin: Hashable, Sendable {
    public let number: UInt64

    public init(_ number: UInt64) { self.number = number }

    init(_ address: AddressBlock) { self.init(address.number) }

    init(principal name: String) {
        // FNV-1a (RFC 9923).
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0100_0000_01b3 }
        self.init(UInt64(mixing: hash, with: 0))
    }

    /// Of one that has nothing in common with others.
    static var unlike: CallOrigin { CallOrigin(.random(in: 1 ... .max)) }
}

extension CallContext {
    /// Who calls, if that is known, else the address that it comes from.
    public var caller: CallOrigin { principal?.origin ?? origin }
}

extension UInt64 {
    /// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014): each bit of the result depends on each of `value`.
    init(mixing value: UInt64, with salt: UInt64) {
        var bits = value &+ (salt &+ 1) &* 0x9e37_79b9_7f4a_7c15
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        self = bits ^ bits >> 31
    }
}
