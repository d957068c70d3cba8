import Client
import Messages
import NIOCore
import RPC
import Results
import Services

/// Sends pictures to a coordinator and hands out the answers in the order of the pictures.
///
/// Never more than `window` pictures are in memory: each is read when its turn comes.
struct PictureSender: Sendable {
    static let defaultConcurrency = 4
    static let maxConcurrency = 256
    /// Between the pictures of a stream where nothing says when they were taken.
    static let defaultFrameRate = 25.0

    let client: MeshClient
    let options: AnalyzeOptions
    /// Unary calls at once.
    var concurrency = defaultConcurrency
    /// nil: compressed pictures, told apart by their first bytes.
    var raw: RawPicture?
    /// Pictures a second, for those of a stream.
    var frameRate = defaultFrameRate
    /// Told of a coordinator that a stream has lost, and of the pictures that are sent again.
    var resumed: @Sendable (_ reason: String, _ again: Int) -> Void = { _, _ in }
    /// Draws on the pictures that were answered.
    var annotator: PictureAnnotator?

    /// One call for each picture.
    func send(_ sources: [PictureSource], answer: (SourceAnswer) async throws -> Void) async throws {
        // Answers that wait for an earlier one; without this, one slow picture would stop all callers.
        let window = 4 * concurrency
        var names = OutputNames()
        try await withThrowingTaskGroup(of: (Int, SourceAnswer).self) { tasks in
            var started = 0
            var answered = 0
            var running = 0
            var waiting: [Int: SourceAnswer] = [:]
            while answered < sources.count {
                while started < sources.count, running < concurrency, started - answered < window {
                    let (index, source) = (started, sources[started])
                    let output = annotator == nil ? "" : names.next(for: source)
                    tasks.addTask { (index, try await send(source, sequence: UInt64(index), output: output)) }
                    started += 1
                    running += 1
                }
                guard let (index, result) = try await tasks.next() else { break }
                running -= 1
                waiting[index] = result
                while let ready = waiting.removeValue(forKey: answered) {
                    try await answer(ready)
                    answered += 1
                }
            }
        }
    }

    /// - Throws: if the connection is lost, or an annotated picture can't be written.
    private func send(_ source: PictureSource, sequence: UInt64, output: String) async throws -> SourceAnswer {
        let frame: Frame
        do {
            frame = try await load(source, stream: "", sequence: sequence)
        } catch let error as Fatal {
            return SourceAnswer(source: source.name, sequence: sequence, refused: error.description)
        }
        do {
            let response = try await client.vision.analyze(options.request(frame), deadline: options.deadline)
            try await annotator?.annotate(frame, response, as: output)
            return SourceAnswer(source: source.name, response: response)
        } catch let error as RPCError {
            if Task.isCancelled { throw CancellationError() }
            if error.isOfAllCalls { throw client.explaining(error) }
            var refused = SourceAnswer(source: source.name, sequence: sequence, refused: error.message)
            refused.response.code = error.code.rawValue
            return refused
        }
    }

    /// All pictures as one stream, for pipelines that remember.
    func stream(
        _ sources: [PictureSource], named name: String, answer: (SourceAnswer) async throws -> Void
    ) async throws {
        struct Kept: Sendable {
            var source: PictureSource
            /// For the annotator.
            var frame: Frame?
        }
        let stream = FrameStream<Kept>(client: client, limits: .lossless, resumed: resumed)
        let next = PictureCursor(sources)
        var names = OutputNames()
        try await stream.run {
            guard let (sequence, source) = next.advance() else { return nil }
            do {
                let frame = try await load(source, stream: name, sequence: sequence)
                let kept = Kept(source: source, frame: annotator == nil ? nil : frame)
                return .frame(options.request(frame), keep: kept, bytes: 0)
            } catch let error as Fatal {
                let refused = SourceAnswer(source: source.name, sequence: sequence, refused: error.description)
                return .refused(refused.response, keep: Kept(source: source))
            }
        } answer: { response, kept in
            if let annotator, let frame = kept.frame {
                try await annotator.annotate(frame, response, as: names.next(for: kept.source))
            }
            try await answer(SourceAnswer(source: kept.source.name, stream: name, response: response))
        }
    }

    private func load(_ source: PictureSource, stream: String, sequence: UInt64) async throws -> Frame {
        let bytes = try await PictureFile.read(source, isEncoded: raw == nil)
        if let objection = raw?.objection(to: bytes.readableBytes) { throw Fatal(objection) }
        return Frame(
            stream: stream, sequence: sequence, captureTime: Int64(Double(sequence) * 1_000_000 / frameRate),
            encoding: raw?.encoding ?? .auto, width: raw?.width ?? 0, height: raw?.height ?? 0,
            rowStride: raw?.rowStride ?? 0, payload: .attached(bytes))
    }
}
