import NIOCore
import Testing

@testable import RPC

@Suite struct CallOriginTests {
    private func origin(_ address: String) throws -> CallOrigin {
        AddressShare(
            memory: MemoryShare(limit: 1),
            of: AddressBlock(try SocketAddress(ipAddress: address, port: .random(in: 1...9)))
        ).origin
    }

    @Test func anAddressHasOneNumberWhateverThePort() throws {
        #expect(try origin("10.0.0.7") == origin("10.0.0.7"))
        #expect(try origin("::ffff:10.0.0.7") == origin("10.0.0.7"))
        #expect(try origin("2001:db8::1") == origin("2001:db8::2"))
    }

    @Test func othersHaveOthers() throws {
        let all = try ["10.0.0.7", "10.0.0.8", "2001:db8::1", "2001:db8:0:1::1", "::1"].map(origin)
        #expect(Set(all).count == all.count)
        #expect(
            AddressShare(memory: MemoryShare(limit: 1), of: nil).origin
                != AddressShare(memory: MemoryShare(limit: 1), of: nil).origin)
    }

    @Test func aKnownCallerIsTheSameFromAnywhere() {
        var context = CallContext(path: "/a/b", metadata: [:], deadline: nil, peer: "p", takesAttachments: false)
        context.origin = CallOrigin(5)
        #expect(context.caller == CallOrigin(5))
        context.principal = Principal(name: "anna")
        #expect(context.caller == Principal(name: "anna").origin)
        #expect(context.caller != Principal(name: "bert").origin)
    }
}
