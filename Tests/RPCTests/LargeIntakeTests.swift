import Testing

@testable import RPC

@Suite struct LargeIntakeTests {
    /// As a call, since `#require` takes none that changes what it is called on.
    private func begin(_ intake: inout LargeIntake, _ bytes: Int, isNext: Bool = false) -> LargeIntake.Part? {
        intake.begin(bytes: bytes, isNext: isNext)
    }

    @Test func messagesWaitInTheirOrderUntilLessThanAWindowLacks() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(begin(&intake, 90))
        let second = try #require(begin(&intake, 90))
        #expect(begin(&intake, 1) == nil)
        _ = intake.wait(5)
        _ = intake.wait(7)
        #expect(intake.next() == nil)
        first.received(81)
        #expect(intake.next() == 5)
        let third = try #require(begin(&intake, 1000, isNext: true))
        #expect(intake.next() == nil)
        second.received(90)
        third.received(1000)
        #expect(intake.next() == 7)
        #expect(intake.ticksOn() == false)
    }

    @Test func whoeverWaitsGoesFirst() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(begin(&intake, 100))
        _ = intake.wait(5)
        first.received(100)
        #expect(begin(&intake, 1) == nil)
    }

    @Test func aMessageThatEndsEarlyCountsNoMore() throws {
        var intake = LargeIntake(windowBytes: 100)
        var first = begin(&intake, 200)
        first?.received(10)
        _ = intake.wait(5)
        #expect(intake.next() == nil)
        first = nil
        #expect(intake.next() == 5)
    }

    @Test func messagesAloneAreCountedUntilOthersCome() throws {
        var intake = LargeIntake(windowBytes: 100)
        for count in 1...3 {
            let part = begin(&intake, 90)
            #expect(intake.aloneInARow == count)
            part?.received(90)
        }
        let first = begin(&intake, 90)
        let second = begin(&intake, 90)
        #expect(intake.aloneInARow == 0)
        #expect(begin(&intake, 90) == nil)
        _ = intake.wait(5)
        first?.received(90)
        second?.received(90)
        #expect(intake.next() == 5)
        // It has waited, so it was not alone.
        let third = begin(&intake, 90, isNext: true)
        #expect(intake.aloneInARow == 0)
        third?.received(90)
        _ = begin(&intake, 90)
        #expect(intake.aloneInARow == 1)
    }

    @Test func slowSendersHoldNobodyUp() throws {
        var intake = LargeIntake(windowBytes: 100)
        let first = try #require(begin(&intake, 1000))
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
        var first = begin(&intake, 200)
        #expect(intake.wait(5) == true)
        #expect(intake.wait(7) == false)
        first = nil
        #expect(intake.next() == 5)
        #expect(intake.next() == 7)
        // Nothing waits now, but the timer is still to come.
        first = begin(&intake, 200)
        #expect(intake.wait(9) == false)
        first?.received(100)
        #expect(intake.tick() == nil)
        #expect(intake.ticksOn() == true)
        #expect(intake.tick() == 9)
        #expect(intake.ticksOn() == false)
        #expect(intake.wait(11) == true)
    }
}
