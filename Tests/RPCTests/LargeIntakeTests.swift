import NIOCore
import Testing

@testable import RPC

@Suite struct LargeIntakeTests {
    @Test func messagesWaitInTheirOrderUntilLessThanAWindowLacks() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(intake.begin(bytes: 90, isNext: false))
        let second = try #require(intake.begin(bytes: 90, isNext: false))
        #expect(intake.begin(bytes: 1, isNext: false) == nil)
        _ = intake.wait(5)
        _ = intake.wait(7)
        #expect(intake.next() == nil)
        first.received(81)
        #expect(intake.next() == 5)
        let third = try #require(intake.begin(bytes: 1000, isNext: true))
        #expect(intake.next() == nil)
        second.received(90)
        third.received(1000)
        #expect(intake.next() == 7)
        #expect(intake.ticksOn() == false)
    }

    /// Its stream may be gone.
    @Test func aTurnThatNobodyTookIsTheNextOnes() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(intake.begin(bytes: 1000, isNext: false))
        _ = intake.wait(5)
        _ = intake.wait(7)
        first.received(10)
        #expect(intake.next() == nil)
        let turns = [intake.tick(), intake.tick(), intake.tick()]
        #expect(turns == [5, 7, nil])
    }

    @Test func whoeverWaitsGoesFirst() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(intake.begin(bytes: 100, isNext: false))
        _ = intake.wait(5)
        first.received(100)
        #expect(intake.begin(bytes: 1, isNext: false) == nil)
    }

    @Test func aMessageThatEndsEarlyCountsNoMore() throws {
        var intake = LargeIntake(windowBytes: 100)
        var first = intake.begin(bytes: 200, isNext: false)
        first?.received(10)
        _ = intake.wait(5)
        #expect(intake.next() == nil)
        first = nil
        #expect(intake.next() == 5)
    }

    @Test func messagesAloneAreCountedUntilOthersCome() throws {
        var intake = LargeIntake(windowBytes: 100)
        for count in 1...3 {
            let part = intake.begin(bytes: 90, isNext: false)
            #expect(intake.aloneInARow == count)
            part?.received(90)
        }
        let first = intake.begin(bytes: 90, isNext: false)
        let second = intake.begin(bytes: 90, isNext: false)
        #expect(intake.aloneInARow == 0)
        #expect(intake.begin(bytes: 90, isNext: false) == nil)
        _ = intake.wait(5)
        first?.received(90)
        second?.received(90)
        #expect(intake.next() == 5)
        // It has waited, so it was not alone.
        let third = intake.begin(bytes: 90, isNext: true)
        #expect(intake.aloneInARow == 0)
        third?.received(90)
        _ = intake.begin(bytes: 90, isNext: false)
        #expect(intake.aloneInARow == 1)
    }

    @Test func theTimeOfAMessageAloneIsTold() throws {
        var intake = LargeIntake(windowBytes: 100)
        func begin(_ bytes: Int, at time: UInt64) throws -> LargeIntake.Part {
            intake.now = .uptimeNanoseconds(time)
            return try #require(intake.begin(bytes: bytes, isNext: false))
        }
        let first = try begin(90, at: 1000)
        #expect(intake.isReceiving)
        first.received(80)
        #expect(intake.takeWholeAlone() == nil)
        first.received(10)
        #expect(!intake.isReceiving)
        intake.now = .uptimeNanoseconds(1300)
        let whole = try #require(intake.takeWholeAlone())
        #expect(whole == (90, .nanoseconds(300)))
        #expect(intake.takeWholeAlone() == nil)
        // Another one came meanwhile.
        let second = try begin(90, at: 2000)
        let third = try begin(90, at: 2100)
        second.received(90)
        #expect(intake.takeWholeAlone() == nil)
        third.received(90)
        #expect(intake.takeWholeAlone() == nil)
        // Of a stream, whose consumer is no measure.
        let fourth = try begin(90, at: 3000)
        fourth.received(90)
        intake.notAlone()
        #expect(intake.takeWholeAlone() == nil)
    }

    @Test func slowSendersHoldNobodyUp() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(intake.begin(bytes: 1000, isNext: false))
        _ = intake.wait(5)
        _ = intake.wait(7)
        first.received(150)
        // The line is busy.
        #expect(intake.tick() == nil)
        first.received(99)
        #expect(intake.tick() == 5)
        #expect(intake.tick() == 7)
        #expect(intake.tick() == nil)
    }

    @Test func oneTimerTicksHoweverOftenMessagesWait() throws {
        var intake = LargeIntake(windowBytes: 100)
        var first = intake.begin(bytes: 200, isNext: false)
        #expect(intake.wait(5) == true)
        #expect(intake.wait(7) == false)
        first = nil
        #expect(intake.next() == 5)
        #expect(intake.next() == 7)
        // Nothing waits now, but the timer is still to come.
        first = intake.begin(bytes: 200, isNext: false)
        #expect(intake.wait(9) == false)
        first?.received(100)
        #expect(intake.tick() == nil)
        #expect(intake.ticksOn() == true)
        #expect(intake.tick() == 9)
        #expect(intake.ticksOn() == false)
        #expect(intake.wait(11) == true)
    }
}
