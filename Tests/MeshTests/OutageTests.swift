import NIOCore
import Testing

@testable import Mesh

@Suite struct OutageTests {
    @Test func anOutageBeginsWithTheChannelAndWithTheLossOfTheLastEndpoint() {
        var outage = Outage(since: 5)
        outage.note(anyReady: false, now: 6)
        #expect(outage.since == 5 && outage.lastEnd == nil)
        outage.note(anyReady: true, now: 9)
        outage.note(anyReady: true, now: 10)
        #expect(outage.since == nil && outage.lastEnd == 9)
        outage.note(anyReady: false, now: 20)
        outage.note(anyReady: false, now: 30)
        #expect(outage.since == 20 && outage.lastEnd == nil)
        outage.note(anyReady: true, now: 31)
        #expect(outage.since == nil && outage.lastEnd == 31)
    }

    @Test func aGraceCountsFromTheBeginningOfTheOutage() {
        var outage = Outage(since: 5)
        outage.note(anyReady: false, now: 7)
        #expect(outage.end(of: .nanoseconds(10)) == .uptimeNanoseconds(15))
        outage.note(anyReady: true, now: 9)
        #expect(outage.end(of: .zero) == nil)
    }
}
