import Messages
import NIOPosix
import Synchronization
import Vision

/// Runs one model over pictures: threads that each own a net, answers in the order of the pictures.
struct PictureWork: Sendable {
    let model: ModelManifest
    let store: ModelStore
    let engine: Engine
    let threads: Int
    let console: Console

    /// Of the model, by number of the class. Takes a while: the model is loaded for it.
    func labels() throws(VisionError) -> [String] { try Model(model, store: store, engine: engine).labelNames }

    /// - Parameter ask: what is wanted of a picture.
    /// - Throws: `Fatal` that names the first picture that cannot be read, `CancellationError`.
    func run<Answer: Sendable>(
        _ pictures: [String], _ ask: @Sendable @escaping (Model, Image) throws -> Answer
    ) async throws -> [Answer] {
        let list = PictureList<Answer>(pictures, console)
        let pool = NIOThreadPool(numberOfThreads: max(1, min(threads, pictures.count)))
        pool.start()
        let outcome: Result<Void, any Error>
        do {
            try await withTaskCancellationHandler {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<pool.numberOfThreads {
                        group.addTask { try await pool.runIfActive { try work(on: list, ask) } }
                    }
                    try await group.waitForAll()
                }
            } onCancel: {
                list.stop(with: Fatal(CancellationError()))
            }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        console.clearProgress()
        try await pool.shutdownGracefully()
        try outcome.get()
        try Task.checkCancellation()
        return try list.answers()
    }

    /// One thread's part.
    private func work<Answer: Sendable>(
        on list: PictureList<Answer>, _ ask: @Sendable (Model, Image) throws -> Answer
    ) throws {
        let model: Model
        do {
            model = try Model(self.model, store: store, engine: engine)
        } catch {
            list.stop(with: Fatal(error))
            throw error
        }
        while let (index, path) = list.next() {
            do {
                let picture = try PictureFile.readNow(.file(path))
                list.answer(try ask(model, try Image(decoding: Frame(payload: .attached(picture)))), to: index)
            } catch {
                let reason = Fatal(error)
                list.stop(with: Fatal("\(path): \(reason.description)", status: reason.status))
            }
        }
    }
}

/// Pictures that several threads take from, and their answers.
private final class PictureList<Answer: Sendable>: Sendable {
    private struct State {
        var next = 0
        var answers: [Answer?]
        var progress: Progress
        /// The first one.
        var failure: Fatal?
    }

    private let paths: [String]
    private let console: Console
    private let state: Mutex<State>

    init(_ paths: [String], _ console: Console) {
        self.paths = paths
        self.console = console
        state = Mutex(
            State(
                answers: Array(repeating: nil, count: paths.count),
                progress: Progress(total: UInt64(paths.count), start: .now)))
    }

    /// nil: there is no more, or it is over.
    func next() -> (index: Int, path: String)? {
        state.withLock { state in
            guard state.failure == nil, state.next < paths.count else { return nil }
            defer { state.next += 1 }
            return (state.next, paths[state.next])
        }
    }

    func answer(_ answer: Answer, to index: Int) {
        state.withLock { state in
            state.answers[index] = answer
            state.progress.advance()
            console.progress { state.progress.line(at: .now) }
        }
    }

    func stop(with failure: Fatal) {
        state.withLock { $0.failure = $0.failure ?? failure }
    }

    /// In the order of the pictures.
    /// - Throws: what it was stopped with.
    func answers() throws -> [Answer] {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.answers.compactMap(\.self)
        }
    }
}
