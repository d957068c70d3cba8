import Mesh
import RPC
import TestSupport
import Testing

@Suite struct ChannelLimitTests {
    /// docs/limits.md lists those that a channel has beside its connections.
    @Test func theDocumentListsEveryFlag() throws {
        let tables = try DocumentTable.all(of: "limits.md").filter { $0.heading == "Channels to several endpoints" }
        let ofConnections = Set(ClientConfiguration.limits.map(\.name))
        let names = ChannelConfiguration.limits.map(\.name).filter { !ofConnections.contains($0) }
        #expect(tables.flatMap { $0.words(in: "flag") }.sorted() == names.sorted())
    }

    @Test func eachLimitSetsOneNumber() throws {
        #expect(Set(ChannelConfiguration.limits.map(\.name)).count == ChannelConfiguration.limits.count)
        var configuration = ChannelConfiguration()
        for argument in [
            "retry-tokens=7", "retry-token-ratio=0.5", "retry-initial=3ms", "reconnect-longest=9", "reconnect-jitter=0",
            "max-in-flight=5", "slow-start=7", "failures-to-eject=8", "failure-rate-to-eject=0.9", "first-ejection=2",
            "longest-ejection=20", "probe-interval=11", "probe-timeout=12", "health-interval=13", "health-timeout=14",
            "resolve-jitter=0.5", "resolve-keep=1h", "dns-tries=2", "dns-try-timeout=3", "dns-look-up-timeout=9",
            "max-dns-questions=1", "resolve-interval=1m", "resolve-pause=4", "ready-timeout=6", "max-waiting-calls=8",
            "connect-timeout=10", "hedge-quantile=0.9", "hedge-floor=3ms", "hedge-samples=7", "hedge-share=0.1",
            "hedge-burst=9", "reconnect-awaited=50ms", "max-capacity=5", "max-zone-bytes=6",
            "max-probes=7", "max-probe-bytes=8KiB", "max-endpoints=9",
        ] {
            try ChannelConfiguration.limits.set(argument, in: &configuration)
        }
        #expect(configuration.retryTokens == 7 && configuration.retryTokenRatio == 0.5)
        #expect(
            configuration.retryBackoff == Backoff(initial: .milliseconds(3), factor: 2, longest: .milliseconds(500)))
        #expect(configuration.backoff == Backoff(longest: .seconds(9), jitter: 0))
        #expect(configuration.resolveInterval == .seconds(60) && configuration.resolvePause == .seconds(4))
        #expect(configuration.balancing.maxInFlight == 5 && configuration.balancing.slowStart == .seconds(7))
        #expect(configuration.probeInterval == .seconds(11) && configuration.probeTimeout == .seconds(12))
        #expect(configuration.maxProbes == 7 && configuration.maxProbeBytes == 8192)
        #expect(configuration.healthInterval == .seconds(13) && configuration.healthTimeout == .seconds(14))
        #expect(configuration.resolveJitter == 0.5 && configuration.resolveKeep == .seconds(3600))
        #expect(configuration.dns.tries == 2 && configuration.dns.tryTimeout == .seconds(3))
        #expect(configuration.dns.lookUpTimeout == .seconds(9) && configuration.dns.maxQuestions == 1)
        #expect(configuration.maxEndpoints == 9)
        #expect(configuration.readyTimeout == .seconds(6) && configuration.maxWaitingCalls == 8)
        #expect(configuration.client.connectTimeout == .seconds(10))
        #expect(configuration.hedging.quantile == 0.9 && configuration.hedging.floor == .milliseconds(3))
        #expect(configuration.hedging.samples == 7 && configuration.hedging.burst == 9)
        #expect(configuration.hedging.share == 0.1)
        #expect(configuration.reconnectWhileAwaited == .milliseconds(50))
        #expect(configuration.balancing.maxCapacity == 5 && configuration.balancing.maxZoneBytes == 6)
    }

    /// What is done again and again would else be done all the time.
    @Test(arguments: ["probe-interval", "health-interval", "resolve-interval", "resolve-pause", "reconnect-awaited"])
    func whatIsDoneAgainAndAgainHasALeastWait(_ name: String) throws {
        var configuration = ChannelConfiguration()
        for value in ["0", "1ms", "9ms"] {
            let error = #expect(throws: LimitError.self) {
                try ChannelConfiguration.limits.set("\(name)=\(value)", in: &configuration)
            }
            #expect(
                error.map { "\($0)" }?.contains("'\(value)' is no value for the limit \(name): it takes seconds")
                    == true)
        }
        try ChannelConfiguration.limits.set("\(name)=100ms", in: &configuration)
    }
}
