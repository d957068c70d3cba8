import NIOCore
import Testing

@testable import Node

@Suite struct BatcherTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// - Returns: how many of `inputs` run.
    private func decide(
        _ inputs: [Int], maxBatchSize: Int, delay: TimeAmount = .zero, waited: TimeAmount = .zero,
        deadline: TimeAmount? = nil, inputTime: TimeAmount = .zero
    ) -> (decision: Batcher.Decision, count: Int) {
        let batcher = Batcher(maxBatchSize: maxBatchSize, maxQueueDelay: delay)
        let waiting = inputs.map { _ in
            Batcher.Candidate(arrival: Self.start, deadline: deadline.map { Self.start + $0 })
        }
        let decision = batcher.decide(
            waiting, inputs: inputs.reduce(0, +), inputTime: inputTime, now: Self.start + waited)
        var taken = 0
        return (
            decision,
            inputs.prefix { more in
                defer { taken += more }
                return batcher.takes(more, after: taken)
            }.count
        )
    }

    private func runs(_ inputs: [Int], maxBatchSize: Int, delay: TimeAmount = .zero) -> Int? {
        let (decision, count) = decide(inputs, maxBatchSize: maxBatchSize, delay: delay)
        return decision == .run ? count : nil
    }

    @Test func withoutDelayWhatIsThereRuns() {
        #expect(runs([1], maxBatchSize: 4) == 1)
        #expect(runs([1, 1, 1], maxBatchSize: 4) == 3)
    }

    @Test func aBatchIsNeverLargerThanItsLimit() {
        #expect(runs([1, 1, 1, 1, 1, 1], maxBatchSize: 4) == 4)
        #expect(runs([1, 1], maxBatchSize: 1) == 1)
        #expect(runs([2, 2, 1], maxBatchSize: 4) == 2)
        #expect(runs([3, 2, 1], maxBatchSize: 4) == 1)
    }

    @Test func aRequestLargerThanABatchRunsAlone() {
        #expect(runs([9, 1], maxBatchSize: 4, delay: .milliseconds(5)) == 1)
        #expect(runs([1, 9], maxBatchSize: 4) == 1)
    }

    @Test func aBatchThatIsNotFullWaitsAsLongAsItsOldestMay() {
        func decision(waited: TimeAmount) -> Batcher.Decision {
            decide([1, 1], maxBatchSize: 4, delay: .milliseconds(5), waited: waited).decision
        }
        #expect(decision(waited: .zero) == .wait(until: Self.start + .milliseconds(5)))
        #expect(decision(waited: .milliseconds(4)) == .wait(until: Self.start + .milliseconds(5)))
        #expect(decision(waited: .milliseconds(5)) == .run)
    }

    @Test func aFullBatchDoesNotWait() {
        #expect(runs([1, 1, 1, 1], maxBatchSize: 4, delay: .milliseconds(5)) == 4)
        // What comes next does not fit.
        #expect(runs([3, 2], maxBatchSize: 4, delay: .milliseconds(5)) == 1)
    }

    @Test func theDeadlineEndsTheWaitInTime() {
        func decision(deadline: TimeAmount) -> Batcher.Decision {
            decide(
                [1, 1], maxBatchSize: 4, delay: .milliseconds(50), deadline: deadline, inputTime: .milliseconds(10)
            ).decision
        }
        #expect(decision(deadline: .milliseconds(30)) == .wait(until: Self.start + .milliseconds(10)))
        #expect(decision(deadline: .milliseconds(15)) == .run)
    }
}
