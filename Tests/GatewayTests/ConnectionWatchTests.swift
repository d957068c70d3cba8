import NIOCore
import Testing

@testable import Gateway

@Suite struct ConnectionWatchTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func after(_ seconds: Int64) -> NIODeadline { start + .seconds(seconds) }

    /// A request whose header has come.
    private func receiving() -> ConnectionWatch {
        var watch = ConnectionWatch(ConnectionLimits(), now: start)
        watch.reading(start)
        watch.received(100, start)
        watch.headRead()
        return watch
    }

    @Test func aHeaderThatDribblesInEndsTheConnection() {
        var watch = ConnectionWatch(ConnectionLimits(), now: start)
        for second in 0..<10 {
            watch.received(1, after(Int64(second)))
            #expect(watch.overdue(after(Int64(second))) == nil)
        }
        #expect(watch.overdue(after(10)) == .headerTimeout)
    }

    @Test func betweenTwoRequestsThereIsMoreTimeUntilTheNextOneBegins() {
        var watch = receiving()
        watch.requestEnded(start)
        #expect(watch.overdue(after(1000)) == nil, "the answer may take its time")
        watch.answered(after(1000))
        #expect(watch.overdue(after(1074)) == nil)
        watch.received(1, after(1074))
        #expect(watch.overdue(after(1083)) == nil)
        #expect(watch.overdue(after(1084)) == .headerTimeout)
        var idle = receiving()
        idle.requestEnded(start)
        idle.answered(start)
        #expect(idle.overdue(after(75)) == .idleTimeout)
    }

    @Test func aBodyBelowItsRateEndsTheConnectionButNotWhileWeDoNotRead() {
        var slow = receiving()
        for second in 1...10 {
            slow.reading(after(Int64(second) - 1))
            slow.received(100, after(Int64(second)))
            slow.bodyRead(100)
        }
        #expect(slow.overdue(after(10)) == .slowUpload)
        var held = receiving()
        held.bodyRead(100)
        #expect(held.overdue(after(500)) == nil, "nothing was asked for")
        var fast = receiving()
        for second in 1...40 {
            fast.reading(after(Int64(second) - 1))
            fast.received(2000, after(Int64(second)))
            fast.bodyRead(2000)
            #expect(fast.overdue(after(Int64(second))) == nil)
        }
    }

    @Test func muchFramingAroundLittleBodyEndsTheConnection() {
        var watch = receiving()
        for _ in 0..<60_000 {
            watch.received(6, start)
            watch.bodyRead(1)
            guard watch.excess == nil else { Issue.record("chunks of one byte are no fault"); return }
        }
        var flood = receiving()
        flood.received(64 << 10, start)
        #expect(flood.excess == nil)
        flood.received(1, start)
        #expect(flood.excess == .chunkOverhead)
    }

    @Test func outputThatNobodyTakesEndsTheConnection() {
        var watch = receiving()
        watch.requestEnded(start)
        watch.writable(false, after(1))
        watch.writable(false, after(20))
        #expect(watch.overdue(after(30)) == nil)
        #expect(watch.overdue(after(31)) == .stalledOutput)
        watch.writable(true, after(31))
        #expect(watch.overdue(after(1000)) == nil)
    }

    @Test func aRefusedUploadIsReadOnForAShortTime() {
        var watch = receiving()
        watch.answered(after(5))
        #expect(watch.input == .lingering(since: after(5)))
        #expect(watch.overdue(after(6)) == nil)
        #expect(watch.overdue(after(7)) == .linger)
    }

    @Test func aPeerThatTakesALittleIsNotStuck() {
        var watch = receiving()
        watch.requestEnded(start)
        watch.writable(false, start)
        watch.pending(1_000_000, start)
        for second in 1...100 {
            watch.pending(1_000_000 - second, after(Int64(second) * 29))
            #expect(watch.overdue(after(Int64(second) * 29)) == nil)
        }
        watch.pending(1_000_000, after(2901))
        watch.pending(1_000_000, after(2929))
        #expect(watch.overdue(after(2929)) == nil)
        #expect(watch.overdue(after(2930)) == .stalledOutput, "more that waits is nothing taken")
    }

    /// Three requests in one piece; the answer to the second goes on for long.
    @Test func requestsThatComeTogetherAreEachWaitedFor() {
        var watch = receiving()
        watch.requestEnded(start)
        watch.headRead()
        watch.requestEnded(start)
        #expect(!watch.answersEarly)
        watch.answered(after(1))
        #expect(watch.overdue(after(1000)) == nil, "the second is still answered")
        watch.received(10, after(1000))
        #expect(watch.overdue(after(2000)) == nil, "the header of the third cannot come before we read on")
        watch.answered(after(2000))
        #expect(watch.overdue(after(2009)) == nil)
        #expect(watch.overdue(after(2010)) == .headerTimeout)
        watch.headRead()
        watch.requestEnded(after(2010))
        watch.answered(after(2011))
        #expect(watch.overdue(after(2085)) == nil)
        #expect(watch.overdue(after(2086)) == .idleTimeout)
    }

    @Test func theAnswerToOneRequestIsNotEarlyForTheBodyOfTheNext() {
        var watch = receiving()
        watch.requestEnded(start)
        watch.headRead()
        #expect(!watch.answersEarly)
        watch.answered(after(1))
        #expect(watch.input == .body, "the second still sends its body")
        #expect(watch.answersEarly)
        watch.answered(after(2))
        #expect(watch.input == .lingering(since: after(2)))
    }
}
