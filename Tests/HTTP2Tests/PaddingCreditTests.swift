import Testing

@testable import HTTP2

@Suite struct PaddingCreditTests {
    @Test func creditReturnsInStepsAndNoneIsLost() {
        var padding = PaddingCredit()
        var returned = 0
        for _ in 0..<1000 { returned += padding.add(100, of: 1) }
        #expect(returned > 100_000 - PaddingCredit.stepBytes && returned <= 100_000)
        #expect(padding.add(PaddingCredit.stepBytes, of: 3) == PaddingCredit.stepBytes)
    }

    @Test func aClosedStreamIsForgotten() {
        var padding = PaddingCredit()
        #expect(padding.add(PaddingCredit.stepBytes - 1, of: 1) == 0)
        padding.closed(1)
        #expect(padding.add(1, of: 1) == 0)
    }
}
