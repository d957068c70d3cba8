import Foundation
import FoundationNetworking
import Synchronization
import Vision

/// Brings the files of models to the folder of pulled ones.
struct Puller: Sendable {
    let folder: String

    /// Downloads one file, verifies it, and puts it in its place.
    /// - Parameter progress: told how many bytes are there.
    /// - Throws: `Fatal` that names the file; its part stays only if another run can go on from it.
    func pull(_ file: ModelFile, progress: @Sendable @escaping (UInt64) -> Void) async throws {
        if let objection = file.pullObjection { throw Fatal("cannot pull \(file.name): \(objection)", status: .usage) }
        guard let text = file.url, let url = URL(string: text) else {
            throw Fatal("cannot pull \(file.name): '\(file.url ?? "")' is no URL", status: .usage)
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Fatal("cannot make the folder \(folder): \(error.localizedDescription)")
        }
        let part = PartFile(place: "\(folder)/\(file.name)")
        var pull = FilePull(file)
        var step = pull.start(part: part.stored.size)
        while true {
            progress(pull.received)
            switch step {
            case .request(let offset, let wait):
                if wait > .zero { try await Task.sleep(for: wait) }
                let transfer = Transfer(pull, part, progress)
                (pull, step) = try await transfer.run(url, from: offset)
                try Task.checkCancellation()
            case .verify: step = pull.verified(sha256: try part.stored.sha256())
            case .keep: return try part.keep()
            case .refuse(let reason):
                part.remove()
                throw Fatal("\(file.name) is refused: \(reason)")
            case .giveUp(let reason): throw Fatal("cannot pull \(file.name) from \(text): \(reason)")
            case .receive, .goOn: throw Fatal("cannot pull \(file.name): the download has no end")
            }
        }
    }
}

/// One request of a pull: its events reach the state machine and the part file from the session's queue.
private final class Transfer: Sendable {
    private struct State {
        var pull: FilePull
        var handle: FileHandle?
        /// Why it was stopped, if it was.
        var stop: FilePull.Step?
        var failure: (any Error)?
    }

    private let state: Mutex<State>
    private let part: PartFile
    private let progress: @Sendable (UInt64) -> Void

    init(_ pull: FilePull, _ part: PartFile, _ progress: @Sendable @escaping (UInt64) -> Void) {
        state = Mutex(State(pull: pull))
        self.part = part
        self.progress = progress
    }

    func run(_ url: URL, from offset: UInt64) async throws -> (FilePull, FilePull.Step) {
        let failure = await Download.run(url, from: offset) {
            self.answered($0)
        } received: {
            self.received($0)
        }
        return try state.withLock { state in
            try? state.handle?.close()
            if let failure = state.failure { throw failure }
            let step = state.stop ?? state.pull.ended(failure)
            return (state.pull, step)
        }
    }

    private func answered(_ response: HTTPURLResponse) -> Download.Verdict {
        state.withLock { state in
            let step = state.pull.answered(
                status: response.statusCode,
                rangeStart: response.value(forHTTPHeaderField: "Content-Range").flatMap(Self.rangeStart))
            guard case .receive = step else {
                state.stop = step
                return .stop
            }
            do {
                state.handle = try part.open(at: state.pull.received)
                return .goOn
            } catch {
                state.failure = error
                return .stop
            }
        }
    }

    private func received(_ data: Data) -> Download.Verdict {
        let (verdict, count) = state.withLock { state in
            guard state.stop == nil, state.failure == nil else { return (Download.Verdict.stop, state.pull.received) }
            let step = state.pull.took(data.count)
            if step != .goOn {
                state.stop = step
                return (.stop, state.pull.received)
            }
            do {
                try state.handle?.write(contentsOf: data)
                return (.goOn, state.pull.received)
            } catch {
                state.failure = Fatal("cannot write \(part.path): \(error.localizedDescription)")
                return (.stop, state.pull.received)
            }
        }
        progress(count)
        return verdict
    }

    /// Of `bytes 100-199/200` (RFC 9110 section 14.4).
    static func rangeStart(_ header: String) -> UInt64? {
        guard header.hasPrefix("bytes ") else { return nil }
        return header.dropFirst("bytes ".count).split(separator: "-").first.flatMap { UInt64($0) }
    }
}
