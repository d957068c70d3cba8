import NIOCore
import RPC
import Testing

@testable import Mesh

@Suite(.timeLimit(.minutes(3))) struct ProbePaceTests {
    private func waits(among asked: Int, isSilent: Bool = false) -> [Double] {
        var random = Dice()
        return (0..<1000).map { _ in
            ProbePace.wait(among: asked, isSilent: isSilent, ChannelConfiguration(), using: &random) / .seconds(1)
        }
    }

    @Test(arguments: [0, 1, 16])
    func eachIntervalWhereEndpointsAreFew(_ asked: Int) {
        let waits = waits(among: asked)
        #expect(waits.allSatisfy { (0.9...1.1).contains($0) })
        #expect(Set(waits).count > 100)
    }

    @Test(arguments: [17, 64, 1000])
    func manyEndpointsAreAskedNoMoreOftenThanFew(_ asked: Int) {
        let waits = waits(among: asked)
        let questions = Double(asked) * Double(waits.count) / waits.reduce(0, +)
        #expect(abs(questions - 16) < 0.2)
    }

    @Test func whatIsDueInAQuarterOfTheIntervalIsAskedAtItsEnd() {
        let times = [1000, 1001, 1249, 1250, 1251].map { milliseconds in
            ProbePace.time(
                after: .milliseconds(milliseconds), from: .uptimeNanoseconds(0), ChannelConfiguration()
            ).instant.uptimeNanoseconds / 1_000_000
        }
        #expect(times == [1000, 1250, 1250, 1250, 1500])
    }

    @Test func aSilentOneIsAskedAsOftenAsEver() {
        #expect(waits(among: 1000, isSilent: true).allSatisfy { (0.9...1.1).contains($0) })
    }

    @Test(arguments: [Duration.milliseconds(100), .seconds(1), .seconds(3600)])
    func healthIsAskedSoonerOrLaterByChance(_ interval: Duration) {
        var random = Dice()
        var configuration = ChannelConfiguration()
        configuration.healthInterval = interval
        var shares: [Double] = []
        for _ in 0..<1000 { shares.append(ProbePace.healthWait(configuration, using: &random) / interval) }
        #expect(shares.allSatisfy { (0.9...1.1).contains($0) })
        // On both sides, over the whole width.
        #expect((shares.min() ?? 1) < 0.91 && (shares.max() ?? 1) > 1.09)
        #expect(abs(shares.reduce(0, +) / 1000 - 1) < 0.01)
    }

    /// Beside a channel that asks ten endpoints as often as one, one that asks only one in an interval.
    @Test func aChannelKeepsToIt() async throws {
        func configure(_ counter: TestNode.Counter, _ configuration: inout ChannelConfiguration, maxProbes: Int) {
            configuration.probe = EndpointProbe { _, _ in
                counter.add()
                return EndpointReport()
            }
            configuration.probeInterval = .milliseconds(20)
            configuration.maxProbes = maxProbes
        }
        let (often, seldom) = (TestNode.Counter(), TestNode.Counter())
        try await TestNode.with { nodes async throws in
            var ten: [TestNode] = []
            for _ in 0..<10 { ten.append(try await nodes.start { _ in "" }) }
            try await BalancedChannel.with(ten, configure: { configure(seldom, &$0, maxProbes: 1) }) { _ async throws in
                try await BalancedChannel.with(ten, configure: { configure(often, &$0, maxProbes: 10) }) {
                    channel async throws in
                    let before = seldom.count
                    try await channel.until { _ in often.count >= 500 }
                    #expect(seldom.count - before < 200)
                }
            }
        }
    }
}
