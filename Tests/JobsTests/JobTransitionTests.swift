import Testing

@testable import Jobs

@Suite struct JobTransitionTests {
    private static let pauses = JobPauses(first: .seconds(3), longest: .seconds(40))

    private static func claimed(_ job: inout Job, by gateway: String = "a", now: Int64 = 0) throws -> Lease {
        guard case .granted(let lease) = job.claim(by: gateway, now: .at(now), for: .seconds(10)) else {
            throw JobError(.failed, "was not granted")
        }
        return lease
    }

    @Test func aQueuedJobIsClaimedAndFinished() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job, now: 2000)
        #expect(job.state == .running)
        #expect(lease == Lease(job: job.id, gateway: "a", number: 1, until: .at(12_000)))
        try job.finish(lease, as: .done, storedBytes: 99, lastTime: 6900, now: .at(5000), keep: .seconds(60))
        #expect(job.state == .done && job.lease == nil && job.storedBytes == 99)
        #expect(job.video.duration == 7000)
        #expect(job.startedAt == .at(2000) && job.finishedAt == .at(5000) && job.expiresAt == .at(65_000))
    }

    @Test(arguments: [JobState.done, .failed])
    func aFileThatDoesNotSayHowLongItIsLastsToItsLastFrame(_ state: JobState) throws {
        var job = Job.sample()
        job.video.duration = nil
        let lease = try Self.claimed(&job)
        try job.finish(lease, as: state, storedBytes: 99, lastTime: 6900, now: .at(5000), keep: .seconds(60))
        #expect(job.video.duration == (state == .done ? 6900 : nil))
    }

    @Test func aRunningJobIsClaimedOnlyWhenItsLeaseIsOver() throws {
        var job = Job.sample()
        _ = try Self.claimed(&job, now: 0)
        #expect(job.claim(by: "b", now: .at(9_999), for: .seconds(10)) == .refused)
        let taken = try Self.claimed(&job, by: "b", now: 10_000)
        #expect(taken.number == 2)
        #expect(job.startedAt == .at(0))
    }

    @Test func whatADeadGatewayHadIsFreeAtOnceAndItsTurnCounts() throws {
        var job = Job.sample()
        let old = try Self.claimed(&job, now: 0)
        var batch = FrameBatch.of(0..<2)
        batch.rate = 30
        batch.partial = 1
        #expect(try job.append(batch, old))
        #expect(job.progress.partial == 1)
        try job.count(damagedPackets: 3, old)
        #expect(job.progress.damagedPackets == 3)
        _ = try job.renew(old, waitingFor: "a coordinator", now: .at(1000), for: .seconds(10))
        job.orphan(now: .at(3000))
        #expect(job.state == .queued && job.lease == nil && job.waitingFor.isEmpty && job.progress.rate == 0)
        #expect(job.worked == 3000)
        _ = try Self.claimed(&job, by: "b", now: 3000)
        // Turns that end so without a frame are as many as any others.
        for turn in 1...4 {
            #expect(job.isLastTurn == false)
            job.orphan(now: .at(3000))
            _ = try Self.claimed(&job, by: "b", now: 3000 + Int64(turn))
        }
        #expect(job.isLastTurn)
        job.orphan(now: .at(4000))
        #expect(job.claim(by: "b", now: .at(4000), for: .seconds(10)) == .gaveUp)
    }

    @Test func whoseWorkIsGoneOnWithHasNoRateOfBefore() throws {
        var job = Job.sample()
        let old = try Self.claimed(&job, now: 0)
        var batch = FrameBatch.of(0..<2)
        batch.rate = 30
        #expect(try job.append(batch, old))
        #expect(job.progress.rate == 30)
        _ = try Self.claimed(&job, by: "b", now: 10_000)
        #expect(job.progress.rate == 0)
    }

    @Test func whatTheOldOwnerSaysDoesNotCount() throws {
        var job = Job.sample()
        let old = try Self.claimed(&job, now: 0)
        let new = try Self.claimed(&job, by: "b", now: 10_000)
        let before = job
        #expect(throws: JobError.self) { try job.append(.of(0..<3), old) }
        #expect(throws: JobError.self) { try job.renew(old, now: .at(10_001), for: .seconds(10)) }
        #expect(throws: JobError.self) { try job.release(old, .ending, now: .at(10_001), Self.pauses) }
        #expect(throws: JobError.self) {
            try job.finish(old, as: .failed, storedBytes: 0, now: .at(10_001), keep: .seconds(1))
        }
        #expect(job == before)
        #expect(try job.append(.of(0..<3), new))
    }

    @Test func anOwnerThatWasLateButNotReplacedGoesOn() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job, now: 0)
        #expect(try job.renew(lease, now: .at(20_000), for: .seconds(10)).until == .at(30_000))
        #expect(job.claim(by: "b", now: .at(29_999), for: .seconds(10)) == .refused)
    }

    @Test func resultsComeInOrderAndOnce() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        #expect(try job.append(.of(0..<3), lease))
        #expect(try job.append(.of(3..<5), lease))
        #expect(job.progress.framesDone == 5)
        // The answer to the last call was lost, and it is made again.
        #expect(try !job.append(.of(3..<5), lease))
        #expect(job.progress.framesDone == 5)
        for wrong in [6..<7, 0..<3, 4..<6, 2..<4] as [Range<Int64>] {
            #expect(throws: JobError.self) { try job.append(.of(wrong), lease) }
        }
        var gap = FrameBatch.of(5..<8)
        gap.results.remove(at: 1)
        #expect(throws: JobError.self) { try job.append(gap, lease) }
        #expect(try !job.append(FrameBatch(), lease))
        #expect(job.progress.framesDone == 5)
    }

    @Test func whatWasReleasedWaitsForTheNextGateway() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        #expect(try job.append(.of(0..<3), lease))
        try job.release(lease, .ending, now: .at(10), Self.pauses)
        #expect(job.state == .queued && job.progress.framesDone == 3)
        #expect(try Self.claimed(&job, by: "b", now: 10).number == 2)
    }

    @Test func whatFailsWithoutAFrameIsTriedMoreAndMoreSeldomAndThenGivenUp() throws {
        var job = Job.sample()
        var now: Int64 = 0
        var pauses: [Int64] = []
        for _ in 0..<Job.maxFruitlessClaims {
            let lease = try Self.claimed(&job, now: now)
            try job.release(lease, .failed(waitingFor: "room in the mesh"), now: .at(now), Self.pauses)
            #expect(job.waitingFor == "room in the mesh" && job.state == .queued)
            #expect(job.claim(by: "a", now: .at(job.notBefore.milliseconds - 1), for: .seconds(10)) == .refused)
            pauses.append(job.notBefore.milliseconds - now)
            now = job.notBefore.milliseconds
        }
        #expect(pauses == [3_000, 12_000, 40_000, 40_000, 40_000])
        #expect(job.claim(by: "a", now: .at(now), for: .seconds(10)) == .gaveUp)
        #expect(job.state == .failed && job.error.hasSuffix("frame 0, and waited for room in the mesh"))
    }

    @Test func aMeshThatIsNotThereIsNoFaultOfTheJob() throws {
        var job = Job.sample()
        for turn in 0..<3 * Job.maxFruitlessClaims {
            let lease = try Self.claimed(&job, now: turn * 10_000)
            try job.release(lease, .absent(waitingFor: "a coordinator"), now: .at(turn * 10_000), Self.pauses)
            #expect(job.notBefore == .at(turn * 10_000 + 3_000) && job.waitingFor == "a coordinator")
        }
        #expect(job.state == .queued)
        // Those before, which were the job's, still count.
        for turn in 100..<100 + Job.maxFruitlessClaims - 1 { _ = try Self.claimed(&job, now: turn * 10_000) }
        let lease = try Self.claimed(&job, now: 5_000_000)
        try job.release(lease, .absent(waitingFor: "a coordinator"), now: .at(5_000_000), Self.pauses)
        _ = try Self.claimed(&job, now: 6_000_000)
        #expect(job.claim(by: "a", now: .at(7_000_000), for: .seconds(10)) == .gaveUp)
    }

    @Test func aJobWithoutFramesSaysWhatItWaitsForUntilOneComes() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        var batch = FrameBatch.of(0..<3)
        batch.rate = 57
        #expect(try job.append(batch, lease))
        #expect(job.progress.rate == 57 && job.progress.secondsLeft != nil)
        _ = try job.renew(lease, waitingFor: "a coordinator", now: .at(5_000), for: .seconds(10))
        #expect(job.waitingFor == "a coordinator" && job.progress.rate == 0 && job.progress.secondsLeft == nil)
        try job.release(lease, .absent(waitingFor: "a coordinator"), now: .at(6_000), Self.pauses)
        let next = try Self.claimed(&job, now: 60_000)
        #expect(job.state == .running && job.waitingFor == "a coordinator")
        #expect(try job.append(.of(3..<4), next))
        #expect(job.waitingFor.isEmpty)
        _ = try job.renew(next, waitingFor: "a coordinator", now: .at(65_000), for: .seconds(10))
        _ = job.cancel(now: .at(66_000))
        #expect(job.waitingFor.isEmpty)
    }

    @Test func resultsHaveALimitAndThoseBeforeStay() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        let bytes = FrameBatch.of(0..<3).storedBytes
        #expect(try job.append(.of(0..<3), lease, most: bytes))
        #expect(job.resultBytes == bytes)
        let before = job
        let error = #expect(throws: JobError.self) { try job.append(.of(3..<4), lease, most: bytes + 100) }
        #expect(error?.code == .tooManyResults)
        #expect(job == before)
        // What is recorded is taken again, however much there is.
        #expect(try !job.append(.of(0..<3), lease, most: 1))
    }

    @Test func roomForAFileIsHeldAsLongAsTheLease() throws {
        func reserved() throws -> Job {
            var job = Job.sample(bytes: 10)
            let lease = try Self.claimed(&job)
            #expect(try job.reserve(50, beside: 10, within: 40, lease) == 30)
            #expect(job.storedBytes == 10 && job.reservedBytes == 30)
            return job
        }
        var released = try reserved()
        let lease = try #require(released.lease)
        try released.release(lease, .ending, now: .at(1), Self.pauses)
        #expect(released.reservedBytes == 0 && released.storedBytes == 10)
        var cancelled = try reserved()
        _ = cancelled.cancel(now: .at(1))
        #expect(cancelled.reservedBytes == 0)
        var orphaned = try reserved()
        _ = try Self.claimed(&orphaned, now: 10_000)
        #expect(orphaned.reservedBytes == 0)
        var givenUp = try reserved()
        givenUp.fruitlessClaims = Job.maxFruitlessClaims
        #expect(givenUp.claim(by: "a", now: .at(10_000), for: .seconds(10)) == .gaveUp)
        #expect(givenUp.reservedBytes == 0)
        var deleted = try reserved()
        deleted.delete()
        #expect(deleted.reservedBytes == 0 && deleted.storedBytes == 0)
    }

    @Test func theTimeThatItIsWorkedOnIsCounted() throws {
        var job = Job.sample()
        var lease = try Self.claimed(&job, now: 0)
        lease = try job.renew(lease, now: .at(3_000), for: .seconds(10))
        lease = try job.renew(lease, now: .at(7_000), for: .seconds(10))
        #expect(job.worked == 7_000)
        // A clock that was set forward or back.
        lease = try job.renew(lease, now: .at(1_000_000), for: .seconds(10))
        #expect(job.worked == 17_000)
        lease = try job.renew(lease, now: .at(900_000), for: .seconds(10))
        #expect(job.worked == 17_000)
        // Also that behind the last renewal,
        try job.release(lease, .ending, now: .at(902_500), Self.pauses)
        #expect(job.worked == 19_500)
        // and of one that dies at most its lease.
        _ = try Self.claimed(&job, now: 2_000_000)
        _ = try Self.claimed(&job, now: 3_000_000)
        #expect(job.worked == 29_500)
        _ = job.cancel(now: .at(3_000_001))
        #expect(job.worked == 29_500)
    }

    @Test func aJobThatTakesGatewaysDownIsGivenUp() throws {
        var job = Job.sample()
        for turn in 0..<Job.maxFruitlessClaims { _ = try Self.claimed(&job, now: turn * 10_000) }
        #expect(job.claim(by: "a", now: .at(900_000), for: .seconds(10)) == .gaveUp)
        #expect(job.state == .failed && job.error.contains("frame 0"))
    }

    @Test func aJobThatGetsOnIsNotGivenUp() throws {
        var job = Job.sample()
        for turn in 0..<3 * Job.maxFruitlessClaims {
            let lease = try Self.claimed(&job, now: turn * 10_000)
            if turn % 3 == 0 { #expect(try job.append(.of(turn / 3..<turn / 3 + 1), lease)) }
        }
        #expect(job.state == .running)
    }

    @Test func aCancelledJobTakesNothingMore() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        let first = job.cancel(now: .at(5))
        #expect(first)
        #expect(job.state == .cancelled && job.finishedAt == .at(5))
        #expect(throws: JobError.self) { try job.append(.of(0..<1), lease) }
        let second = job.cancel(now: .at(6))
        #expect(!second)
        #expect(job.claim(by: "a", now: .at(900_000), for: .seconds(10)) == .refused)
    }

    @Test func whatIsToBeDoneDoesNotExpireAndWhatIsDoneStaysForItsTime() throws {
        var job = Job.sample(at: 100, expires: 1000)
        #expect(!job.isExpired(.at(900_000)))
        _ = try Self.claimed(&job, now: 900_000)
        #expect(!job.isExpired(.at(2_000_000)))
        _ = job.cancel(now: .at(2_000_000))
        #expect(!job.isExpired(.at(2_000_899)))
        #expect(job.isExpired(.at(2_000_900)))
    }

    @Test func progressTellsWhatIsLeft() {
        var progress = JobProgress()
        #expect(progress.fraction == nil && progress.secondsLeft == nil)
        progress.framesTotal = 100
        progress.framesDone = 25
        progress.rate = 5
        #expect(progress.fraction == 0.25 && progress.secondsLeft == 15)
        // A file that has more frames than it says.
        progress.framesDone = 120
        #expect(progress.fraction == 1 && progress.secondsLeft == 0)
    }

    @Test func aVideoOfWhichNoFrameHasAResultIsAFailure() throws {
        var job = Job.sample()
        let lease = try Self.claimed(&job)
        #expect(!job.progress.isFailure)
        var batch = FrameBatch.of(0..<3)
        for cause in ["no node", "too late", "no node"] { batch.fail(cause) }
        #expect(try job.append(batch, lease))
        #expect(job.progress.isFailure && job.progress.failed == 3)
        #expect(job.progress.causes.list.map(\.words) == ["no node", "too late"])
        #expect(job.progress.causes.list.map(\.frames) == [2, 1])
        #expect(try job.append(.of(3..<4), lease))
        #expect(!job.progress.isFailure)
    }

    @Test func aFewCausesAreToldApart() throws {
        var causes = FrameCauses()
        for number in 0..<100 { causes.add("cause \(number)", frames: number == 99 ? 1000 : 1) }
        for _ in 0..<5 { causes.add("cause 3") }
        #expect(causes.list.count == FrameCauses.most + 1)
        #expect(causes.list[0].words == FrameCauses.others && causes.list[0].frames == 1091)
        #expect(causes.list[1].words == "cause 3" && causes.list[1].frames == 6)
        #expect(causes.list.reduce(0) { $0 + $1.frames } == 1104)
        var hostile = FrameCauses()
        hostile.add("two\r\nlines\u{2028}\0 " + String(repeating: "x\u{301}", count: 1000))
        hostile.add(" \n")
        hostile.add("")
        #expect(hostile.list.map(\.frames) == [2, 1])
        #expect(hostile.list[1].words.unicodeScalars.count == FrameCauses.longest)
        #expect(hostile.list[1].words.hasPrefix("two  lines   "))
        #expect(FrameCauses(text: hostile.text) == hostile)
        #expect(FrameCauses(text: "") == FrameCauses())
    }

    @Test(arguments: ["\u{301}begins with an accent", "\u{200D}", "\u{FE0F} x", "7 8 9", "a\u{301}"])
    func causesComeBackHoweverTheyBegin(_ words: String) {
        var causes = FrameCauses()
        causes.add(words, frames: 3)
        causes.add("another")
        #expect(FrameCauses(text: causes.text) == causes)
    }

    @Test func causesThatCannotBeReadAreLeftOut() {
        #expect(FrameCauses(text: "3 no node\nnonsense\nx y\n99999999999999999999 z").list.map(\.words) == ["no node"])
    }

    @Test func idsAreInOrderOfTimeAndOtherwiseChance() {
        let ids = (0..<100).map { JobID(at: .at(1_000_000 + $0)) }
        #expect(ids == ids.sorted())
        #expect(Set((0..<100).map { _ in JobID(at: .at(7)) }).count == 100)
        #expect(JobID(ids[0].text) == ids[0])
        #expect(ids[0].text.count == 32)
    }

    @Test(arguments: [
        "", "../../../../../../etc/passwd-----", "0000000000000000000000000000000g", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
        "00000000000000000000000000000000\n",
    ])
    func otherTextIsNoID(_ text: String) { #expect(JobID(text) == nil) }
}
