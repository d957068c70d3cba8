import Mesh
import Messages
import NIOCore
import RPC
import Services
import Synchronization

@testable import Coordination

/// Nodes of one channel, which come when the test says so, and answer at once.
final class ScriptedCaller: StageCaller {
    private struct State {
        var recovery: NIODeadline?
        var waiting: [CheckedContinuation<Void, any Error>] = []
    }

    let name: String
    let outlook: EndpointOutlook?
    private let state: Mutex<State>
    private let onCall: @Sendable (String) throws -> Void
    private let (waits, wait) = AsyncStream<Void>.makeStream()

    init(
        _ name: String, isReady: Bool = true, outlook: EndpointOutlook? = nil,
        onCall: @Sendable @escaping (_ path: String) throws -> Void = { _ in }
    ) {
        self.name = name
        self.outlook = outlook
        self.onCall = onCall
        state = Mutex(State(recovery: isReady ? .now() : nil))
    }

    var lastRecovery: NIODeadline? { state.withLock { $0.recovery } }

    /// Returns once something waits for it.
    func isAwaited() async { for await _ in waits { return } }

    func come() {
        let waiting = state.withLock { state in
            state.recovery = .now()
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func leave() { state.withLock { $0.recovery = nil } }

    func untilReady() async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = state.withLock { state -> Result<Void, any Error>? in
                    if state.recovery != nil { return .success(()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiting.append(continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
                wait.yield()
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume(throwing: CancellationError()) }
        }
    }

    func call(
        _ path: String, _ request: Payload, options: CallOptions, outageGrace: Duration?
    ) async throws -> ChannelResponse {
        if lastRecovery == nil {
            guard outageGrace == nil else { throw RPCError(.unavailable, "nobody is there") }
            do {
                try await untilReady()
            } catch {
                throw RPCError(.cancelled, "call was cancelled")
            }
        }
        try onCall(path)
        return ChannelResponse(response: UnaryResponse(answer(path)), endpoint: name, retries: 0)
    }

    private func answer(_ path: String) -> Payload {
        let box = Detection.digit(at: 10)
        switch path {
        case MethodPath.detect:
            var response = DetectResponse()
            response.sequence = 1
            response.detections = [box]
            return Payload(response)
        case MethodPath.classify:
            var response = ClassifyResponse()
            response.sequence = 1
            response.regions = [[Classification(classID: 1, label: "one", confidence: 0.9)]]
            return Payload(response)
        default:
            var response = FusedResponse()
            response.sequence = 1
            response.detections = [box]
            return Payload(response)
        }
    }
}
