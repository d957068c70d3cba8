import NIOCore
import NIOEmbedded
import Testing

@testable import RPC

@Suite struct LoopTickerTests {
    private final class Ticks {
        var times: [Int64] = []
    }

    /// Milliseconds of the first ticks of one that starts at `start`.
    private func ticks(of interval: Int64, from start: Int64, until end: Int64) -> [Int64] {
        let loop = EmbeddedEventLoop()
        let ticks = Ticks()
        loop.advanceTime(by: .milliseconds(start))
        let ticker = LoopTicker(every: .milliseconds(interval), on: loop)
        ticker.start { ticks.times.append(Int64(loop.now.uptimeNanoseconds / 1_000_000)) }
        loop.advanceTime(by: .milliseconds(end - start))
        ticker.stop()
        loop.advanceTime(by: .milliseconds(10 * interval))
        return ticks.times
    }

    @Test func tickersThatStartOneAfterTheOtherTickTogether() {
        #expect(ticks(of: 800, from: 1, until: 2600) == [900, 1700, 2500])
        #expect(ticks(of: 800, from: 77, until: 2600) == [900, 1700, 2500])
        #expect(ticks(of: 800, from: 100, until: 2600) == [900, 1700, 2500])
        #expect(ticks(of: 800, from: 101, until: 2600) == [1000, 1800, 2600])
    }

    @Test func oneThatIsLetGoEnds() {
        let loop = EmbeddedEventLoop()
        let ticks = Ticks()
        var ticker: LoopTicker? = LoopTicker(every: .milliseconds(8), on: loop)
        ticker?.start { ticks.times.append(0) }
        loop.advanceTime(by: .milliseconds(8))
        ticker = nil
        loop.advanceTime(by: .milliseconds(80))
        #expect(ticks.times.count <= 2)
    }
}
