import Bench
import Client
import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import framemesh

@Suite(.timeLimit(.minutes(5))) struct ProcessWatchTests {
    private final class Visitors: Sendable {
        private let state = Mutex((now: 0, most: 0))

        var most: Int { state.withLock { $0.most } }

        func took(_ channel: any Channel) -> EventLoopFuture<Void> {
            state.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
            channel.closeFuture.whenComplete { _ in self.state.withLock { $0.now -= 1 } }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
    }

    /// One after the other, each would have its time-out to itself.
    @Test func rolesThatDoNotTellAreAskedAtOnceAndLeftOut() async throws {
        let visitors = Visitors()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .childChannelInitializer { visitors.took($0) }.bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let silent = try (0..<16).map { try #require(URL(string: "http://127.0.0.1:\(port)/metrics?\($0)")) }
        let watch = ProcessWatch(metrics: silent)
        let usage = await watch.sample()
        let told = await watch.silent()
        try await listener.close()
        #expect(told.map(\.url) == silent && told.allSatisfy { $0.reason == "no answer in time" })
        #expect(visitors.most > 4 && visitors.most <= ProcessWatch.metricsAtOnce)
        #expect(usage.count >= 1 && !usage.keys.contains { if case .metrics = $0 { true } else { false } })
    }

    @Test func whoDoesNotTellIsSaidWithTheReason() async throws {
        // No page there has them, and nobody listens at the other.
        let coordinator = SwappingCoordinator(swapping: "")
        let told = try await coordinator.serve { place in
            let urls = [place.hostPorts, "127.0.0.1:1"].compactMap { URL(string: "http://\($0)/metrics") }
            return await ProcessWatch(metrics: urls).silent().map(\.reason)
        }
        #expect(told.count == 2 && told.last == "connection refused" && told.first?.isEmpty == false, "\(told)")
        #expect(await ProcessWatch().silent().isEmpty)
    }

    /// What was killed or started anew meanwhile took its time, too.
    @Test func processesThatEndOrBeginMeanwhileCount() throws {
        func sample(_ seconds: Double, _ name: String? = "detector") -> ProcessWatch.Sample {
            .init(name: name, usage: ProcessUsage(cpuSeconds: seconds, residentBytes: 0x1p20))
        }
        let (killed, begun) = (ProcessWatch.Key.process(7), ProcessWatch.Key.process(8))
        let late = ProcessWatch.Key.metrics(try #require(URL(string: "http://a/metrics")))
        let samples = [
            [killed: sample(1)], [killed: sample(3, nil), begun: sample(1, "sh")], [begun: sample(2), late: sample(9)],
        ]
        let records = ProcessWatch().records(of: samples, frames: 1000)
        #expect(records.map(\.pid) == [7, 8] && records.map(\.cpuSeconds) == [2, 2])
        #expect(records.map(\.name) == ["detector", "detector"])
    }
}
