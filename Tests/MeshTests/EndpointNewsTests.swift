import Testing

@testable import Mesh

@Suite struct EndpointNewsTests {
    private let second: UInt64 = 1_000_000_000

    @Test func eachChangeIsToldOnce() {
        var news = EndpointNews()
        var told: [String] = []
        for change in [
            .lost, .unhealthy, .lost, .ready, .ready, .silent, .silent, .ready, .ejected, .ejected, .ready, .lost,
            .lost,
        ] as [EndpointNews.Change] {
            if let line = news.note(change, now: 0) { told.append(line.text) }
        }
        #expect(
            told == [
                "endpoint is ready", "endpoint does not answer its probe", "endpoint answers its probe again",
                "endpoint is left out because calls failed", "endpoint is well again", "endpoint is lost",
            ])
    }

    @Test func whatWasNeverReadyIsNoNews() {
        var news = EndpointNews()
        for change in [.lost, .unhealthy, .lost] as [EndpointNews.Change] {
            #expect(news.note(change, now: 0) == nil)
        }
    }

    @Test func anEndpointThatFlapsIsToldOfNowAndThen() {
        var news = EndpointNews()
        var lines: [EndpointNews.Line] = []
        for time in 0..<180 {
            if let line = news.note(time % 2 == 0 ? .ready : .lost, now: UInt64(time) * second) { lines.append(line) }
        }
        #expect(lines.count == 3 * EndpointNews.most)
        #expect(lines.map(\.leftOut).reduce(0, +) == 2 * (60 - EndpointNews.most))
    }
}
