import Messages
import Metrics
import NIOCore
import RPC
import Services
import Traces

/// How a stage went: an answer or an error.
struct StageResult<Response: StageResponse>: Sendable {
    /// Of the pipeline; of both in one call, `node`.
    var stage: String
    var response: Response?
    var error: RPCError?
    var retries = 0
    var elapsed = TimeAmount.zero
}

/// Builds the answer of one frame out of what its stages say.
struct Merge {
    private(set) var response = AnalyzeResponse()
    private let frame: AcceptedFrame
    private var errors: [(stage: String, error: RPCError)] = []
    private var answered = false
    private let started: NIODeadline
    /// When the last of its nodes had said something.
    private var told: NIODeadline

    /// Steps of a frame of a stream with both stages, on a node each, and of the tracker: more of them let their array grow.
    private static let usualSteps = 18

    init(_ frame: AcceptedFrame, started: NIODeadline) {
        self.frame = frame
        self.started = started
        told = started
        response = .answering(frame.request.frame)
        response.timing.reserveCapacity(Self.usualSteps)
        response.timing.append(Timing("coordinator.queue", started - frame.arrival))
    }

    /// A stage failed without which there is no answer.
    var hasFailed: Bool { errors.contains { frame.pipeline.required.contains($0.stage) } }

    mutating func add(_ result: StageResult<DetectResponse>) {
        guard let found = take(result) else { return }
        response.detections = found.detections
    }

    mutating func add(_ result: StageResult<ClassifyResponse>) {
        guard let found = take(result) else { return }
        response.classes = found.regions.first ?? []
    }

    /// - Parameter boxes: which detection each region was, by index.
    mutating func add(_ result: StageResult<ClassifyResponse>, toBoxes boxes: [Int]) {
        guard let found = take(result) else { return }
        guard found.regions.count == boxes.count else {
            let message = "a node answered \(found.regions.count) regions when asked for \(boxes.count)"
            errors.append((result.stage, RPCError(.internal, message)))
            return
        }
        for (index, classes) in zip(boxes, found.regions) { response.detections[index].classes = classes }
    }

    /// Both stages in one.
    /// - Returns: the stage that failed by a fault of the node, which is not counted as missing yet.
    mutating func add(_ result: StageResult<FusedResponse>) -> String? {
        account(for: result)
        if let error = result.error {
            errors.append(("detect", error))
            // Of boxes that nobody has found no classes are missing.
            if case .frame? = frame.pipeline.classify?.input { errors.append(("classify", error)) }
        }
        guard let found = result.response else { return nil }
        heard(found)
        response.detections = found.detections
        response.classes = found.classes
        // Nodes have one failure at most: where both stages fail, the call does.
        guard let failure = found.failures.first(where: { ["detect", "classify"].contains($0.stage) }) else {
            return nil
        }
        let code = StatusCode(rawValue: failure.code)
        if [.internal, .unknown, .dataLoss, .ok].contains(code) {
            response.attempts += 1
            return failure.stage
        }
        errors.append((failure.stage, RPCError(code, failure.message)))
        return nil
    }

    /// Both stages in one, which the node did not take: they go apart.
    mutating func add(refused result: StageResult<FusedResponse>) {
        account(for: result)
        response.attempts += 1
    }

    private mutating func take<Response>(_ result: StageResult<Response>) -> Response? {
        account(for: result)
        if let error = result.error { errors.append((result.stage, error)) }
        guard let found = result.response else { return nil }
        heard(found)
        return found
    }

    private mutating func heard(_ found: some StageResponse) {
        answered = true
        response.width = found.width
        response.height = found.height
    }

    private mutating func account<Response>(for result: StageResult<Response>) {
        response.attempts += result.retries
        told = .now()
        var accounted: UInt64 = 0
        var overlap: UInt64 = 0
        for timing in result.response?.timing ?? [] {
            // Of both stages in one call, what they do not share bears their names already.
            let name = timing.stage.utf8.contains(UInt8(ascii: ".")) ? timing.stage : "\(result.stage).\(timing.stage)"
            response.timing.append(Timing(name, microseconds: timing.microseconds))
            guard timing.stage != Timing.overlap else {
                overlap = timing.microseconds
                continue
            }
            let (sum, overflow) = accounted.addingReportingOverflow(timing.microseconds)
            accounted = overflow ? .max : sum
        }
        accounted -= min(accounted, overlap)
        // What the node does not account for: the way there and back, and attempts that failed.
        let elapsed = UInt64(clamping: result.elapsed.nanoseconds / 1000)
        let network = elapsed > accounted ? elapsed - accounted : 0
        response.timing.append(Timing("\(result.stage).network", microseconds: network))
    }

    /// Why the frame fails, if it does.
    var worst: RPCError? {
        let worst =
            errors.first { frame.pipeline.fails(without: $0.stage, $0.error) } ?? (answered ? nil : errors.first)
        return worst?.error
    }

    /// Why a stage is missing, of an answer without it.
    var missed: RPCError? { errors.first?.error }

    consuming func finish(_ metrics: CoordinatorMetrics = .none) -> AnalyzeResponse {
        response.missing = errors.map(\.stage)
        if let worst {
            response.fail(worst, policy: frame.request.policy)
        } else if let first = errors.first {
            response.status = .partial
            response.code = first.error.code.rawValue
            response.cause = "\(first.stage) is missing: \(first.error.message)"
        }
        let end = NIODeadline.now()
        let (queue, fanOut, merge) = (started - frame.arrival, told - started, end - told)
        response.timing.append(Timing("coordinator.fan_out", fanOut))
        response.timing.append(Timing("coordinator.merge", merge))
        response.timing.append(Timing("total", end - frame.arrival))
        metrics.queue.recordNanoseconds(queue.nanoseconds)
        metrics.fanOut.recordNanoseconds(fanOut.nanoseconds)
        metrics.merge.recordNanoseconds(merge.nanoseconds)
        frame.work?.span?.went(through: [
            ("queue", .nanoseconds(queue.nanoseconds)), ("fan_out", .nanoseconds(fanOut.nanoseconds)),
            ("merge", .nanoseconds(merge.nanoseconds)),
        ])
        return response
    }
}

extension Pipeline {
    /// Whether a frame fails whose stage has failed like this. A picture that one node calls bad is bad; what another
    /// makes of it does not help.
    func fails(without stage: String, _ error: RPCError) -> Bool {
        required.contains(stage) || error.code == .invalidArgument
    }
}

extension AnalyzeResponse {
    /// The empty answer of `frame`.
    static func answering(_ frame: Frame) -> AnalyzeResponse {
        var response = AnalyzeResponse()
        response.stream = frame.stream
        response.sequence = frame.sequence
        response.captureTime = frame.captureTime
        return response
    }

    mutating func fail(_ error: RPCError, policy: StreamPolicy) {
        detections = []
        classes = []
        // A frame that came too late is what `deadline` drops, and one that every node says it cannot do in time.
        let isLate = error.code == .deadlineExceeded || error.code == .resourceExhausted
        status = policy == .deadline && isLate ? .dropped : .error
        code = error.code.rawValue
        cause = error.message
    }
}

extension Timing {
    init(_ stage: String, _ amount: TimeAmount) {
        self.init(stage, microseconds: UInt64(clamping: amount.nanoseconds / 1000))
    }
}
