import Testing

@testable import Mesh

@Suite struct LatencyWindowTests {
    @Test func quantilesAreKnownToAQuarter() {
        var window = LatencyWindow()
        #expect(window.quantile(0.99) == nil)
        for milliseconds in 1...100 { window.add(UInt64(milliseconds) * 1_000_000) }
        for (share, exact) in [(0.5, 50.0), (0.99, 99), (1, 100)] {
            let found = Double(window.quantile(share) ?? 0) / 1e6
            #expect(found >= exact && found <= exact * 1.26, "\(share): \(found)")
        }
    }

    @Test(arguments: [0, 1, 999, 1000, 3_600_000_000_000, UInt64.max])
    func anyLatencyIsTaken(_ latency: UInt64) {
        var window = LatencyWindow()
        window.add(latency)
        #expect(window.quantile(0.99) != nil)
    }

    @Test func oldOnesAreForgotten() {
        var window = LatencyWindow()
        for _ in 0..<1000 { window.add(1_000_000_000) }
        for _ in 0..<10_000 { window.add(1_000_000) }
        #expect((window.quantile(0.99) ?? 0) < 2_000_000)
    }
}
