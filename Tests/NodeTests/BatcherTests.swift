import NIOCore
import Testing

@testable import Node

@Suite struct BatcherTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    /// - Returns: how many of `inputs` run.
    private func decide(
        _ inputs: [Int], maxBatchSize: Int, preferred: [Int] = [], delay: TimeAmount = .zero,
        waited: TimeAmount = .zero, deadline: TimeAmount? = nil, inputTime: TimeAmount = .zero
    ) -> (decision: Batcher.Decision, count: Int) {
        let batcher = Batcher(maxBatchSize: maxBatchSize, preferredBatchSizes: preferred, maxQueueDelay: delay)
        let waiting = inputs.map { _ in
            Batcher.Candidate(arrival: Self.start, deadline: deadline.map { Self.start + $0 })
        }
        let decision = batcher.decide(
            waiting, inputs: inputs.reduce(0, +), inputTime: inputTime, now: Self.start + waited)
        guard case .run(let most) = decision else { return (decision, 0) }
        var taken = 0
        return (
            decision,
            inputs.prefix { more in
                defer { taken += more }
                return batcher.takes(more, after: taken, most: most)
            }.count
        )
    }

    private func runs(_ inputs: [Int], maxBatchSize: Int, delay: TimeAmount = .zero) -> Int? {
        let (decision, count) = decide(inputs, maxBatchSize: maxBatchSize, delay: delay)
        if case .wait = decision { return nil }
        return count
    }

    @Test func aBatchOfAPreferredSizeRunsAtOnce() {
        /// How many of so many run, the delay not over; nil: they wait.
        func count(_ waiting: Int, waited: TimeAmount = .zero, delay: TimeAmount = .milliseconds(5)) -> Int? {
            let (decision, count) = decide(
                Array(repeating: 1, count: waiting), maxBatchSize: 8, preferred: [4, 2], delay: delay, waited: waited)
            if case .wait = decision { return nil }
            return count
        }
        #expect((1...9).map { count($0) } == [nil, 2, 2, 4, 4, 4, 4, 4, 4])
        // The oldest has waited for long enough: all that goes into one.
        #expect([1, 3, 7, 9].map { count($0, waited: .milliseconds(5)) } == [1, 3, 7, 8])
        // Without a delay nothing waits for a preferred size, and it is kept where there is enough.
        #expect([1, 3, 7].map { count($0, delay: .zero) } == [1, 2, 4])
    }

    @Test func preferredSizesThatAModelDoesNotTakeCountNoMore() {
        #expect(decide([1, 1], maxBatchSize: 1, preferred: [4], delay: .milliseconds(5)).decision == .run(most: 1))
        #expect(decide([1, 1], maxBatchSize: 2, preferred: [4], delay: .milliseconds(5)).count == 2)
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
        #expect(decision(waited: .milliseconds(5)) == .run(most: 4))
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
        #expect(decision(deadline: .milliseconds(15)) == .run(most: 4))
    }
}
