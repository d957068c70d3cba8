import Foundation
import Messages
import NIOCore
import Results

/// What became of one picture of a request.
struct PictureAnswer: Sendable {
    enum Outcome: Sendable {
        case answered(AnalyzeResponse)
        case failed(Problem)
    }

    /// Time that this gateway saw pass for the picture.
    struct Times: Sendable {
        /// From the request's header to its last byte.
        var receive: Duration = .zero
        /// From the call of the mesh to its answer.
        var mesh: Duration = .zero
        var draw: Duration?
    }

    /// As the sender calls it.
    var name: String?
    var outcome: Outcome
    var times = Times()
    /// JPEG or PNG, where it was asked for.
    var drawn: ByteBuffer?

    /// - Parameter stages: of the pipeline, as the coordinator names them.
    func write(to json: inout JSONText, stages: [String]) {
        json.object { json in
            if let name { json.field("name", name) }
            switch outcome {
            case .failed(let problem):
                json.field("status", AnswerStatus.error.word)
                json.member("error") { problem.write(to: &$0) }
            case .answered(let response): write(response, to: &json, stages)
            }
        }
    }

    private func write(_ response: AnalyzeResponse, to json: inout JSONText, _ stages: [String]) {
        json.field("width", response.width)
        json.field("height", response.height)
        json.field("status", response.status.word)
        if response.status == .partial {
            json.array("partial", response.missing) { $0.value($1) }
            json.field("cause", response.cause.onOneLine)
        }
        if response.hasDetections(stages) { json.array("detections", response.detections) { $0.add($1) } }
        if response.hasClasses(stages) { json.array("classes", response.classes) { $0.add($1) } }
        json.object("timing_ms") { json in
            for timing in response.timing {
                json.field(timing.stage, Double(timing.microseconds) / 1000, decimals: 3)
            }
            let inMesh = response.timing.first { $0.stage == "total" }?.microseconds ?? 0
            json.field("gateway.receive", times.receive / .milliseconds(1), decimals: 3)
            // What the coordinator has not seen: to it and back.
            json.field("gateway.network", max(0, (times.mesh - .microseconds(inMesh)) / .milliseconds(1)), decimals: 3)
            if let draw = times.draw { json.field("gateway.draw", draw / .milliseconds(1), decimals: 3) }
            let all = times.receive + times.mesh + (times.draw ?? .zero)
            json.field("gateway.total", all / .milliseconds(1), decimals: 3)
        }
        if let drawn { json.field("annotated", Data(drawn.readableBytesView).base64EncodedString()) }
    }
}
