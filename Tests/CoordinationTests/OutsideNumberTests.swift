import Messages
import NIOCore
import RPC
import Services
import Testing

@testable import Coordination

/// Numbers that peers choose, at the ends of their ranges.
@Suite struct OutsideNumberTests {
    @Test func timesOfANodeBeyondAllBoundsLeaveNothingToTheNetwork() throws {
        let now = NIODeadline.now()
        let pipeline = try #require(Pipeline.builtIn.first { $0.name == "detect" })
        let frame = Frame(sequence: 1, payload: .attached(ByteBuffer()))
        var merge = Merge(
            AcceptedFrame(
                request: AnalyzeRequest(frame: frame, pipeline: "detect"), pipeline: pipeline, arrival: now,
                deadline: Deadline(instant: now + .seconds(1)), waitsForRoom: false, client: CallOrigin(0)),
            started: now)
        var response = DetectResponse.found([.digit(at: 1)], in: frame)
        response.timing = [Timing("infer", microseconds: .max), Timing("decode", microseconds: .max)]
        merge.add(
            StageResult<DetectResponse>(stage: "detect", response: response, elapsed: .milliseconds(5)))
        let answer = merge.finish()
        #expect(answer.timing.first { $0.stage == "detect.network" }?.microseconds == 0)
        #expect(answer.timing.first { $0.stage == "detect.infer" }?.microseconds == .max)
        #expect(answer.detections.count == 1)
    }

    @Test(arguments: [Int64.max, .min]) func aFrameWithoutATimeMayFollowAnyTime(_ captureTime: Int64) {
        var tracking = StreamTracking(reported: 0.5)
        for time in [captureTime, 0, 0, captureTime, 0] {
            var response = AnalyzeResponse()
            response.captureTime = time
            response.detections = [.digit(at: 10)]
            tracking.update(&response)
            #expect(response.detections.count == 1)
        }
    }
}
