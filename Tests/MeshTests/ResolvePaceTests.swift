import NIOCore
import Testing

@testable import Mesh

@Suite struct ResolvePaceTests {
    private func wait(ttl: Duration?, addresses: Int = 1) throws -> Duration {
        var random = SystemRandomNumberGenerator()
        let address = ResolvedAddress(address: try SocketAddress(ipAddress: "10.0.0.1", port: 7))
        let resolution = Resolution(addresses: Array(repeating: address, count: addresses), ttl: ttl)
        return ResolvePace.wait(after: resolution, ChannelConfiguration(), using: &random)
    }

    @Test(arguments: [nil, .seconds(5), .seconds(30), .seconds(1_000_000_000)] as [Duration?])
    func atTheLatestAfterTheInterval(_ ttl: Duration?) throws {
        let waits = try (0..<100).map { _ in try wait(ttl: ttl) }
        #expect(waits.allSatisfy { (.seconds(4) ... .seconds(5)).contains($0) })
        #expect(Set(waits).count > 1)
    }

    @Test func soonerWhenRecordsHoldForLess() throws {
        #expect((.milliseconds(1600) ... .seconds(2)).contains(try wait(ttl: .seconds(2))))
    }

    @Test(arguments: [.zero, .seconds(1)] as [Duration])
    func neverWithoutAPause(_ ttl: Duration) throws { #expect(try wait(ttl: ttl) == .seconds(1)) }

    @Test func soonWhenThereIsNothing() throws { #expect(try wait(ttl: nil, addresses: 0) == .seconds(1)) }
}

@Suite struct ResolverNewsTests {
    @Test func troubleIsToldOnceAndItsEndToo() {
        var news = ResolverNews()
        #expect(news.note(nil) == nil)
        #expect(news.note("gone") == .trouble("gone"))
        for reason in ["gone", "timeout", "gone"] { #expect(news.note(reason) == nil) }
        #expect(news.trouble == "gone")
        #expect((0..<5).map { _ in news.note(nil) } == [nil, nil, .well, nil, nil])
        #expect(news.trouble == nil)
        #expect(news.note("again") == .trouble("again"))
    }

    @Test func aServerThatFlapsIsToldOfOnce() {
        var news = ResolverNews()
        #expect(news.note("gone") == .trouble("gone"))
        for _ in 0..<100 {
            #expect(news.note(nil) == nil)
            #expect(news.note("gone") == nil)
        }
    }
}
