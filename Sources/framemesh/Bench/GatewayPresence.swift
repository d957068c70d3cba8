import Synchronization

/// Whether a gateway is there: asked once for all frames that fail at the same time, since hundreds of questions find no room at it
/// beside hundreds of frames; and again before it is taken for gone.
final class GatewayPresence: Sendable {
    /// While frames are sent.
    static let questions = 3

    private struct State {
        /// Frames that were answered, in whatever way.
        var answers = 0
        var running: Task<String?, Never>?
    }

    /// Between two questions.
    private let pause: Duration
    private let ask: @Sendable () async -> String?
    private let state = Mutex(State())

    /// - Parameter ask: on a connection of its own; why there was no answer, nil: there was one.
    init(pause: Duration = .seconds(1), _ ask: @Sendable @escaping () async -> String?) {
        self.pause = pause
        self.ask = ask
    }

    /// A frame was answered.
    func sawAnswer() { state.withLock { $0.answers += 1 } }

    var hasAnswered: Bool { answers > 0 }
    private var answers: Int { state.withLock { $0.answers } }

    /// - Parameter questions: without an answer, after which nobody is there.
    /// - Returns: why nobody is there; nil: the gateway is, as the question or a frame that was answered meanwhile has shown.
    func silence(after questions: Int = GatewayPresence.questions) async -> String? {
        let running = state.withLock { state -> Task<String?, Never> in
            if let running = state.running { return running }
            // Belongs to those who wait for it: they are all of one run, and cancelled with it.
            let task = Task { await find(questions) }
            state.running = task
            return task
        }
        return await withTaskCancellationHandler {
            await running.value
        } onCancel: {
            running.cancel()
        }
    }

    private func find(_ questions: Int) async -> String? {
        defer { state.withLock { $0.running = nil } }
        let before = answers
        var reason = ""
        for number in 1...questions {
            guard let found = await ask() else { return nil }
            if answers > before { return nil }
            reason = found
            if number < questions { try? await Task.sleep(for: pause) }
        }
        return answers > before ? nil : reason
    }
}
