import NIOCore
import Testing

@testable import RPC

@Suite("A loop stays awake for those who ask again at once, and for nobody else")
struct PollingRuleTests {
    let limit = TimeAmount.microseconds(200)
    var rule = PollingRule()
    var now = NIODeadline.uptimeNanoseconds(1)

    /// Something comes `count` times, `wait` after what was before it.
    /// - Returns: until when to poll, after the last.
    mutating func come(_ count: Int, after wait: TimeAmount) -> NIODeadline? {
        var end: NIODeadline?
        for _ in 0..<count {
            now = now + wait
            end = rule.worked(at: now, limit: limit)
        }
        return end
    }

    @Test mutating func aRowOfShortWaitsIsAReason() {
        #expect(come(PollingRule.leastRow, after: .microseconds(50)) == nil, "The first waited for nothing.")
        #expect(come(1, after: .microseconds(50)) == now + limit)
        #expect(come(1, after: limit) == now + limit)
    }

    @Test mutating func aLongWaitEndsIt() {
        _ = come(PollingRule.leastRow + 1, after: .microseconds(50))
        #expect(come(1, after: limit + .nanoseconds(1)) == nil)
        #expect(come(PollingRule.leastRow, after: .microseconds(50)) == nil)
    }

    @Test mutating func eachTryInVainWantsALongerRow() {
        for _ in 0..<20 {
            _ = come(rule.neededRow + 1, after: .microseconds(50))
            _ = come(1, after: .seconds(1))
        }
        #expect(rule.neededRow == PollingRule.mostRow)
        #expect(come(PollingRule.mostRow - 1, after: .microseconds(50)) == nil)
        #expect(come(1, after: .microseconds(50)) != nil)
    }

    @Test mutating func aLongWaitWithoutPollingIsNoFailure() {
        for _ in 0..<20 { _ = come(2, after: .seconds(1)) }
        #expect(rule.neededRow == PollingRule.leastRow)
    }

    @Test mutating func successIsRemembered() {
        _ = come(PollingRule.leastRow + 1, after: .microseconds(50))
        _ = come(1, after: .seconds(1))
        #expect(rule.neededRow == PollingRule.leastRow * 4)
        _ = come(PollingRule.forgiven, after: .microseconds(50))
        #expect(rule.neededRow == PollingRule.leastRow)
    }
}
