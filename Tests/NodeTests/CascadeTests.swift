import Messages
import NIOCore
import RPC
import Synchronization
import Testing
import Vision

@testable import Node

/// Boxes that are found and then classified, on one worker.
@Suite struct CascadeTests {
    private let clock = TestClock()

    private func job(deadline: TimeAmount? = nil, answerBy: TimeAmount? = nil) throws -> Job<VisionWork> {
        let picture = try #require(try TestModels.pictures().first)
        return Job(
            work: VisionWork(
                frame: TestModels.frame(picture), detect: .init(minConfidence: 0),
                classify: .init(
                    subject: .found(limit: 64, floor: 0), topK: 1, answerBy: answerBy.map { clock.now + $0 })),
            deadline: deadline.map { clock.now + $0 })
    }

    /// - Parameters:
    ///   - detection: how long it takes.
    ///   - onCall: of the classifier, at most 16 boxes at a time.
    private func runner(
        boxes: Int = 1, detection: TimeAmount = .zero, passTimes: [TimeAmount] = [],
        onCall: @Sendable @escaping (Int) -> Void = { _ in }
    ) throws -> ModelRunner {
        ModelRunner(
            models: [
                try StubModel.detector(boxes: boxes) { [clock] _ in clock.advance(by: detection) },
                try StubModel.classifier(onPass: onCall),
            ], lanes: [ModelLane(detector: 0, classifier: 1, ofBoxes: true)], limits: .init(), passTimes: passTimes,
            now: { [clock] in clock.now })
    }

    private func failure(_ answer: VisionAnswer) -> RPCError? {
        if case .failure(let error)? = answer.classify { error } else { nil }
    }

    @Test func aDeadlineThatPassesBetweenTheStagesLeavesTheBoxes() throws {
        var runner = try runner(detection: .seconds(5))
        let results = runner.run([try job(deadline: .seconds(3))], model: 0, at: .alone)
        let answer = try #require(results.first).get()
        #expect(try answer.detect?.get().output.count == 1)
        #expect(failure(answer)?.code == .deadlineExceeded)
        #expect(failure(answer)?.message == "deadline passed before classification")
    }

    @Test func whereNothingWasFoundNothingIsMissing() throws {
        var runner = try runner(boxes: 0, detection: .seconds(5))
        let results = runner.run([try job(deadline: .seconds(3))], model: 0, at: .alone)
        let answer = try #require(results.first).get()
        #expect(try answer.detect?.get().output == [])
        #expect(failure(answer) == nil)
    }

    @Test func whoIsGoneGetsNoBoxes() throws {
        let gone = try job()
        var runner = ModelRunner(
            models: [try StubModel.detector { _ in gone.cancellation.cancel() }, try StubModel.classifier()],
            lanes: [ModelLane(detector: 0, classifier: 1, ofBoxes: true)], limits: .init(), now: { .now() })
        let results = runner.run([gone], model: 0, at: .alone)
        guard case .failure(let error)? = results.first else { return #expect(Bool(false), "nobody waits for it") }
        #expect(error.code == .cancelled && error.message == "call was cancelled before classification")
    }

    /// Else the answer would come when nobody waits for it.
    @Test func aClassificationThatWouldTakeTooLongIsNotBegun() throws {
        var runner = try runner(passTimes: [.zero, .seconds(10)])
        var codes: [StatusCode?] = []
        for _ in 0...ServiceTime.tried {
            let job = try job(deadline: .seconds(6), answerBy: .seconds(5))
            let results = runner.run([job], model: 0, at: .alone)
            let answer = try #require(results.first).get()
            #expect(try answer.detect?.get().output.count == 1)
            codes.append(failure(answer)?.code)
        }
        // Only what is done tells how long it takes, so one of ten is tried.
        let late = Array(repeating: StatusCode?.some(.deadlineExceeded), count: ServiceTime.tried - 1)
        #expect(Array(codes.prefix(ServiceTime.tried)) == late + [nil], "\(codes)")
    }

    @Test func betweenThePassesOfABatchDeadlinesAreLookedAt() throws {
        let calls = Counter()
        var runner = try runner(boxes: 64) { [clock] count in
            calls.add(count)
            clock.advance(by: .seconds(1))
        }
        let gotOn = Counter()
        let place = Workplace<ModelRunner>(lend: { _, _ in { false } }, getsOn: { gotOn.add(1) })
        let jobs = [try job(deadline: .milliseconds(1500)), try job(), try job(deadline: .milliseconds(500))]
        let answers = try runner.run(jobs, model: 0, at: place).map { try $0.get() }
        #expect(failure(answers[0])?.message == "deadline passed before inference of region 32")
        #expect(failure(answers[2])?.message == "deadline passed before inference of region 0")
        #expect(try answers[1].classify?.get().output.count == 64)
        let found = try answers.map { try $0.detect?.get().output.count }
        #expect(found == [64, 64, 64])
        // Two calls for the first, four for the second, none for the third.
        #expect(calls.all == Array(repeating: 16, count: 6))
        // Between all of them, and once the boxes were found.
        #expect(gotOn.all.count == 6)
    }

    private final class Counter: Sendable {
        private let added = Mutex<[Int]>([])
        var all: [Int] { added.withLock { $0 } }
        func add(_ number: Int) { added.withLock { $0.append(number) } }
    }
}
