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
    /// The first of the streams whose objects are tracked, whatever the pipeline of the others.
    var firstTracked: Int
    /// The stream with marked pictures; nil: they are in the unary calls.
    var markedStream: Int?
    var marked: [UInt64: ChaosPicture.Order]

    /// So long it is in sight, then comes another one.
    private static let framesOfObject: UInt64 = 16
    /// Microseconds, whatever the pace is: a tracker forgets what it has not seen for longer than a second, and by then
    /// all places were taken by others.
    private static let captureInterval: Int64 = 100_000

    func name(of stream: Int) -> String { "\(seed)-\(stream)" }

    /// Which object a frame shows, of a stream that is tracked; nil of others.
    func object(stream: Int, _ number: UInt64) -> UInt64? {
        stream >= firstTracked ? number / Self.framesOfObject : nil
    }

    /// - Parameter stream: nil: a unary call.
    func request(stream: Int?, _ number: UInt64) -> (AnalyzeRequest, truth: String) {
        let id = seed << 48 | UInt64(stream.map { $0 + 1 } ?? 0) << 32 | number
        let order = stream == markedStream ? marked[number] ?? .answer : .answer
        let object = stream.flatMap { self.object(stream: $0, number) }
        let picture = ChaosPicture(id: id, order: order, place: .of(object ?? 0), side: side)
        let (frame, truth) = picture.frame(
            stream: stream.map(name) ?? "", sequence: number, captureTime: Int64(number) * Self.captureInterval)
        let request = AnalyzeRequest(
            frame: frame, pipeline: object == nil ? pipeline : "track", policy: policy, frameDeadline: deadline)
        return (request, truth)
    }
}
