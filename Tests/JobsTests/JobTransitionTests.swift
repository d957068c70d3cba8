import Testing

@testable import Jobs

@Suite struct JobTransitionTests {
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
        try job.finish(lease, as: .done, storedBytes: 99, now: .at(5000), keep: .seconds(60))
        #expect(job.state == .done && job.lease == nil && job.storedBytes == 99)
        #expect(job.startedAt == .at(2000) && job.finishedAt == .at(5000) && job.expiresAt == .at(65_000))
    }

    @Test func aRunningJobIsClaimedOnlyWhenItsLeaseIsOver() throws {
        var job = Job.sample()
        _ = try Self.claimed(&job, now: 0)
        #expect(job.claim(by: "b", now: .at(9_999), for: .seconds(10)) == .refused)
        let taken = try Self.claimed(&job, by: "b", now: 10_000)
        #expect(taken.number == 2)
        #expect(job.startedAt == .at(0))
    }

    @Test func whatTheOldOwnerSaysDoesNotCount() throws {
        var job = Job.sample()
        let old = try Self.claimed(&job, now: 0)
        let new = try Self.claimed(&job, by: "b", now: 10_000)
        let before = job
        #expect(throws: JobError.self) { try job.append(.of(0..<3), old) }
        #expect(throws: JobError.self) { try job.renew(old, now: .at(10_001), for: .seconds(10)) }
        #expect(throws: JobError.self) { try job.release(old) }
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
        try job.release(lease)
        #expect(job.state == .queued && job.progress.framesDone == 3)
        #expect(try Self.claimed(&job, by: "b").number == 2)
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
        try job.release(lease)
        _ = try Self.claimed(&job, now: 2_000_000)
        #expect(job.worked == 17_000)
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
