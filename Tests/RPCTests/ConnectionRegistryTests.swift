import NIOCore
import Testing

@testable import RPC

@Suite struct ConnectionRegistryTests {
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
        let places = try ["2001:db8::1", "2001:db8::2:3"].map { try registry.reserve(address($0), limits) }
        let error = #expect(throws: RPCError.self) { try registry.reserve(address("2001:db8::ffff"), limits) }
        #expect(error?.limit == .connectionsPerAddress)
        #expect(error?.message == "more than 2 connections from 2001:db8:0:0::/64")
        _ = try registry.reserve(address("2001:db8:0:1::1"), limits)
        registry.giveBack(places[0])
        _ = try registry.reserve(address("2001:db8::ffff"), limits)
    }

    @Test func aPlaceIsTakenBeforeThereIsAConnection() throws {
        let registry = ConnectionRegistry()
        var limits = ServerConfiguration()
        limits.maxConnections = 1
        let place = try registry.reserve(nil, limits)
        let error = #expect(throws: RPCError.self) { try registry.reserve(nil, limits) }
        #expect(error?.limit == .connections)
        registry.giveBack(place)
        _ = try registry.reserve(nil, limits)
    }
}
