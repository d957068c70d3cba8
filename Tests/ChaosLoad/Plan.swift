import ChaosFrame
import Messages

/// What is sent.
struct Plan: Sendable {
    var pipeline: String
    var policy: StreamPolicy
    /// Milliseconds of a frame.
    var deadline: UInt32
    /// Pixels.
    var side: Int
    /// Tells the pictures of one process from those of another.
    var seed: UInt64
    /// The stream with marked pictures; nil: they are in the unary calls.
    var markedStream: Int?
    var marked: [UInt64: ChaosPicture.Order]

    func name(of stream: Int) -> String { "\(seed)-\(stream)" }

    /// - Parameter stream: nil: a unary call.
    func request(stream: Int?, _ number: UInt64) -> (AnalyzeRequest, truth: String) {
        let id = seed << 48 | UInt64(stream.map { $0 + 1 } ?? 0) << 32 | number
        let order = stream == markedStream ? marked[number] ?? .answer : .answer
        let (frame, truth) = ChaosPicture(id: id, order: order, side: side).frame(
            stream: stream.map(name) ?? "", sequence: number, captureTime: Int64(number) * 1000)
        return (
            AnalyzeRequest(frame: frame, pipeline: pipeline, policy: policy, frameDeadline: deadline), truth
        )
    }
}
