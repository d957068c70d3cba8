import NIOCore
import Testing

@testable import RPC

@Suite struct ConnectionRegistryTests {
    private let budget = MemoryBudget(limit: 100)

    private func address(_ text: String) throws -> SocketAddress { try SocketAddress(ipAddress: text, port: 1) }

    @Test(arguments: [
        ("10.0.0.7", "10.0.0.7"), ("::ffff:10.0.0.7", "10.0.0.7"), ("2001:db8:0:1::5", "2001:db8:0:1::/64"),
        ("::1", "0:0:0:0::/64"),
    ])
    func aHostCountsAsOne(_ text: String, _ block: String) throws {
        #expect(try AddressBlock(address(text))?.description == block)
    }

    @Test func whoHasNoAddressIsNotCountedByIt() throws {
        #expect(AddressBlock(nil) == nil)
        #expect(AddressBlock(try SocketAddress(unixDomainSocketPath: "/x")) == nil)
    }

    @Test func aHostHasAllAddressesOfItsNetwork() throws {
        let registry = ConnectionRegistry()
        var limits = ServerConfiguration()
        limits.maxConnectionsPerAddress = 2
        let places = try ["2001:db8::1", "2001:db8::2:3"].map { try registry.reserve(address($0), limits, budget) }
        let error = #expect(throws: RPCError.self) { try registry.reserve(address("2001:db8::ffff"), limits, budget) }
        #expect(error?.limit == .connectionsPerAddress)
        #expect(error?.message == "more than 2 connections from 2001:db8:0:0::/64")
        _ = try registry.reserve(address("2001:db8:0:1::1"), limits, budget)
        registry.giveBack(places[0])
        _ = try registry.reserve(address("2001:db8::ffff"), limits, budget)
    }

    @Test func connectionsOfAnAddressShareWhatItMayHave() throws {
        let registry = ConnectionRegistry()
        var limits = ServerConfiguration()
        limits.memoryShare = 0.25
        func place(_ text: String?) throws -> ConnectionRegistry.Place {
            try registry.reserve(text.map { try address($0) }, limits, budget)
        }
        let (one, same, other) = (try place("10.0.0.7"), try place("10.0.0.7"), try place("10.0.0.8"))
        #expect(one.share === same.share)
        #expect(one.share !== other.share)
        #expect(one.share.memory.limit == 25)
        // Nobody knows how many clients a Unix-domain socket has.
        #expect(try place(nil).share !== place(nil).share)
        registry.giveBack(one)
        #expect(try place("10.0.0.7").share === same.share)
    }

    @Test func aPlaceIsTakenBeforeThereIsAConnection() throws {
        let registry = ConnectionRegistry()
        var limits = ServerConfiguration()
        limits.maxConnections = 1
        let place = try registry.reserve(nil, limits, budget)
        let error = #expect(throws: RPCError.self) { try registry.reserve(nil, limits, budget) }
        #expect(error?.limit == .connections)
        registry.giveBack(place)
        _ = try registry.reserve(nil, limits, budget)
    }
}
