import NIOCore
import RPC
import Testing

@testable import Node

@Suite struct AdmissionTests {
    static let now = NIODeadline.uptimeNanoseconds(5_000_000_000)
    let admission = Admission(limit: 64, workers: 2)

    private func refusal(
        waiting: Int, busy: Int, deadline: TimeAmount?, each: TimeAmount = .milliseconds(10)
    ) -> Admission.Refusal? {
        let cost = Double(each.nanoseconds)
        let load = Admission.Load(
            waiting: waiting, busy: busy, waitingCost: Double(waiting) * cost, runningCost: Double(busy) * cost)
        do throws(Admission.Refusal) {
            try admission.check(deadline: deadline.map { Self.now + $0 }, cost: cost, behind: load, now: Self.now)
            return nil
        } catch {
            return error
        }
    }

    @Test func aFullQueueRefuses() {
        #expect(!admission.isFull(63))
        #expect(admission.isFull(64))
        let error = RPCError(Admission.Refusal.full(waiting: 64, limit: 64, wait: .milliseconds(7)))
        #expect(error.code == .resourceExhausted)
        #expect(error.message == "queue is full: 64 frames wait (limit 64)")
        #expect(error.pushback == .milliseconds(4))
    }

    @Test func aDeadlineThatCannotBeMetIsRefusedForAnotherNodeToTry() {
        // 10 wait and 2 run half: 55 ms on two workers, then 10 ms of its own.
        #expect(refusal(waiting: 10, busy: 2, deadline: .milliseconds(70)) == nil)
        let late = refusal(waiting: 10, busy: 2, deadline: .milliseconds(60))
        #expect(late == .late(remaining: .milliseconds(60), wait: .milliseconds(55)))
        let error = late.map(RPCError.init)
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "deadline in 60 ms cannot be met: about 55 ms of work wait")
    }

    @Test func aDeadlineThatHasPassedIsRefusedForGood() {
        let expired = refusal(waiting: 0, busy: 0, deadline: .zero)
        #expect(expired == .expired)
        #expect(expired.map(RPCError.init)?.code == .deadlineExceeded)
    }

    @Test func aFreeWorkerTakesWhatTheEstimateWouldRefuse() {
        #expect(refusal(waiting: 0, busy: 1, deadline: .milliseconds(1), each: .seconds(60)) == nil)
    }

    @Test func hugeEstimatesDoNotTrap() {
        let load = Admission.Load(waiting: 3, busy: 2, waitingCost: .infinity, runningCost: 1e300)
        #expect(admission.wait(behind: load) > .hours(1))
    }
}
