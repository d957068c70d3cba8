import Messages
import Testing

@testable import Coordination

@Suite struct StreamTrackingTests {
    private func answer(at milliseconds: Int64, _ detections: [Detection]) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.captureTime = milliseconds * 1000
        response.detections = detections
        return response
    }

    /// An object gets an id by two sightings without a miss between them.
    @Test func aFrameWithoutDetectorsIsNoFrameWithoutObjects() {
        var tracking = StreamTracking(reported: 0.5)
        var nothing = answer(at: 0, [])
        tracking.update(&nothing)
        var first = answer(at: 40, [.digit(at: 10)])
        tracking.update(&first)
        #expect(first.detections.map(\.trackID) == [nil])
        var unknown = answer(at: 80, [])
        unknown.status = .partial
        unknown.missing = ["detect"]
        tracking.update(&unknown)
        var second = answer(at: 120, [.digit(at: 10)])
        tracking.update(&second)
        #expect(second.detections.map(\.trackID) == [1])
    }

    @Test func aFrameWithoutClassesIsTracked() {
        var tracking = StreamTracking(reported: 0.5)
        var response = answer(at: 0, [.digit(at: 10)])
        response.status = .partial
        response.missing = ["classify"]
        tracking.update(&response)
        #expect(response.detections.map(\.trackID) == [1])
    }
}
