import Messages
import NIOCore
import RPC
import Testing
import Vision

@testable import Node

@Suite struct ModelRunnerTests {
    private func detect(
        _ jobs: [Job<VisionWork>], now: @Sendable @escaping () -> NIODeadline = { .now() }
    ) throws -> [Result<VisionAnswer, RPCError>] {
        var runner = ModelRunner(
            models: [try TestModels.model(TestModels.detector)], lanes: [ModelLane(detector: 0)], limits: .init(),
            now: now)
        return runner.run(jobs, model: 0, at: .alone)
    }

    private func job(_ bytes: ByteBuffer, deadline: NIODeadline? = nil) -> Job<VisionWork> {
        Job(work: VisionWork(frame: TestModels.frame(bytes), detect: .init(minConfidence: 0)), deadline: deadline)
    }

    private func error<Answer>(_ result: Result<Answer, RPCError>?) -> RPCError? {
        if case .failure(let error)? = result { error } else { nil }
    }

    @Test func theAnswerIsThatOfTheModel() throws {
        let picture = try #require(try TestModels.pictures().first)
        let image = try Image(decoding: TestModels.frame(picture))
        let expected = try TestModels.model(TestModels.detector).detect([ModelInput(image)], minConfidence: [0]).found
        let answer = try #require(try detect([job(picture)]).first).get()
        let found = try #require(try answer.detect?.get().output)
        #expect([found] == expected)
        #expect(!found.isEmpty)
        #expect([answer.width, answer.height] == [image.width, image.height])
    }

    @Test func oneBadPictureOfABatchFailsAlone() throws {
        let picture = try #require(try TestModels.pictures().first)
        let results = try detect([job(picture), job(ByteBuffer(string: "not a picture")), job(picture)])
        #expect(results.count == 3)
        #expect(error(results[0]) == nil)
        #expect(error(results[1])?.code == .invalidArgument)
        #expect(error(results[2]) == nil)
    }

    @Test func aDeadlineThatPassesWhileDecodingSavesTheInference() throws {
        let picture = try #require(try TestModels.pictures().first)
        // A second passes between any two looks at the clock: at the start, before decoding, before inference.
        let clock = TestClock()
        let deadline = clock.now + .milliseconds(2500)
        let results = try detect([job(picture, deadline: deadline)]) {
            clock.advance(by: .seconds(1))
            return clock.now
        }
        #expect(error(results.first)?.code == .deadlineExceeded)
        #expect(error(results.first)?.message == "deadline passed before inference")
    }

    @Test func whatIsLateOrCancelledIsNotDecoded() throws {
        // Decoding these bytes would be INVALID_ARGUMENT.
        let late = job(ByteBuffer(string: "not a picture"), deadline: .now())
        let cancelled = job(ByteBuffer(string: "not a picture"))
        cancelled.cancellation.cancel()
        let results = try detect([late, cancelled])
        #expect(results.map { error($0)?.code } == [.deadlineExceeded, .cancelled])
    }

    @Test func aRequestWithManyRegionsStopsWhenNobodyWaits() throws {
        let picture = try #require(try TestModels.pictures().first)
        let regions = Array(repeating: Box(x: 0, y: 0, width: 50, height: 50), count: 64)
        let clock = TestClock()
        var runner = ModelRunner(
            models: [try TestModels.model(TestModels.classifier)], lanes: [ModelLane(classifier: 0)], limits: .init(),
            now: {
                clock.advance(by: .seconds(1))
                return clock.now
            })
        let work = VisionWork(
            frame: TestModels.frame(picture), classify: .init(subject: .regions(regions), topK: 1))
        let results = runner.run([Job(work: work, deadline: clock.now + .milliseconds(5500))], model: 0, at: .alone)
        #expect(error(results.first)?.message == "deadline passed before inference of region 32")
    }
}
