import NIOCore
import Testing

@testable import Node

@Suite struct BatcherTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func decide(
        _ inputs: [Int], maxBatchSize: Int, delay: TimeAmount = .zero, waited: TimeAmount = .zero,
        deadline: TimeAmount? = nil, inputTime: TimeAmount = .zero
    ) -> Batcher.Decision {
        let waiting = inputs.map {
            Batcher.Candidate(inputs: $0, arrival: Self.start, deadline: deadline.map { Self.start + $0 })
        }
        return Batcher(maxBatchSize: maxBatchSize, maxQueueDelay: delay)
            .decide(waiting, inputTime: inputTime, now: Self.start + waited)
    }

    @Test func withoutDelayWhatIsThereRuns() {
        #expect(decide([1], maxBatchSize: 4) == .run(1))
        #expect(decide([1, 1, 1], maxBatchSize: 4) == .run(3))
    }

    @Test func aBatchIsNeverLargerThanItsLimit() {
        #expect(decide([1, 1, 1, 1, 1, 1], maxBatchSize: 4) == .run(4))
        #expect(decide([1, 1], maxBatchSize: 1) == .run(1))
        #expect(decide([2, 2, 1], maxBatchSize: 4) == .run(2))
        #expect(decide([3, 2, 1], maxBatchSize: 4) == .run(1))
    }

    @Test func aRequestLargerThanABatchRunsAlone() {
        #expect(decide([9, 1], maxBatchSize: 4, delay: .milliseconds(5)) == .run(1))
        #expect(decide([1, 9], maxBatchSize: 4) == .run(1))
    }

    @Test func aBatchThatIsNotFullWaitsAsLongAsItsOldestMay() {
        let until = Batcher.Decision.wait(until: Self.start + .milliseconds(5))
        #expect(decide([1, 1], maxBatchSize: 4, delay: .milliseconds(5)) == until)
        #expect(decide([1, 1], maxBatchSize: 4, delay: .milliseconds(5), waited: .milliseconds(4)) == until)
        #expect(decide([1, 1], maxBatchSize: 4, delay: .milliseconds(5), waited: .milliseconds(5)) == .run(2))
    }

    @Test func aFullBatchDoesNotWait() {
        #expect(decide([1, 1, 1, 1], maxBatchSize: 4, delay: .milliseconds(5)) == .run(4))
        // What comes next does not fit.
        #expect(decide([3, 2], maxBatchSize: 4, delay: .milliseconds(5)) == .run(1))
    }

    @Test func theDeadlineEndsTheWaitInTime() {
        #expect(
            decide(
                [1, 1], maxBatchSize: 4, delay: .milliseconds(50), deadline: .milliseconds(30),
                inputTime: .milliseconds(10))
                == .wait(until: Self.start + .milliseconds(10)))
        #expect(
            decide(
                [1, 1], maxBatchSize: 4, delay: .milliseconds(50), deadline: .milliseconds(15),
                inputTime: .milliseconds(10))
                == .run(2))
    }
}
