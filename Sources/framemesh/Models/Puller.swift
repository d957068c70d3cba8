import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import RPC
import Vision

/// Brings the files of models to the folder of pulled ones.
struct Puller: Sendable {
    let folder: String
    var proxies = ProxyVariables(environment: ProcessInfo.processInfo.environment)

    /// Downloads one file, verifies it, and puts it in its place.
    /// - Parameter progress: told how many bytes are there.
    /// - Throws: `Fatal` that names the file; its part stays only if another run can go on from it.
    func pull(_ file: ModelFile, progress: @Sendable (UInt64) -> Void) async throws {
        if let objection = file.pullObjection {
            throw Fatal(
                "cannot pull \(file.name): \(objection); put it into a folder that \(EnvironmentNames.models) names",
                status: .usage)
        }
        guard let text = file.url, let url = URL(string: text), let host = url.host else {
            throw Fatal("cannot pull \(file.name): '\(file.url ?? "")' is no URL", status: .usage)
        }
        let download = Download(url: url, proxy: url.scheme == "https" ? try proxies.proxy(to: host) : nil)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw Fatal("cannot make the folder \(folder): \(SystemError.text(error))")
        }
        let part = PartFile(place: "\(folder)/\(file.name)")
        var pull = FilePull(file)
        var step = pull.start(part: part.stored.size)
        while true {
            progress(pull.received)
            switch step {
            case .request(let offset, let wait):
                if wait > .zero { try await Task.sleep(for: wait) }
                var transfer = Transfer(pull, part)
                step = try await transfer.run(download, from: offset, progress)
                pull = transfer.pull
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

/// One request of a pull: its events reach the state machine and the part file.
private struct Transfer {
    private(set) var pull: FilePull
    private let part: PartFile
    private var handle: FileHandle?
    /// Why it was stopped, if it was.
    private var stop: FilePull.Step?

    init(_ pull: FilePull, _ part: PartFile) {
        self.pull = pull
        self.part = part
    }

    /// - Returns: what is to be done now.
    mutating func run(
        _ download: Download, from offset: UInt64, _ progress: @Sendable (UInt64) -> Void
    ) async throws -> FilePull.Step {
        var failure: Download.Failure?
        defer { try? handle?.close() }
        do {
            try await download.run(from: offset) { response throws(Fatal) in
                try answered(response)
            } received: { piece throws(Fatal) in
                defer { progress(pull.received) }
                return try received(piece)
            }
        } catch let error as Download.Failure {
            failure = error
        }
        return stop ?? pull.ended(failure)
    }

    private mutating func answered(_ response: HTTPClientResponse) throws(Fatal) -> Download.Verdict {
        let step = pull.answered(
            status: Int(response.status.code),
            rangeStart: response.headers.first(name: "content-range").flatMap(Self.rangeStart))
        guard case .receive = step else {
            stop = step
            return .stop
        }
        handle = try part.open(at: pull.received)
        return .goOn
    }

    private mutating func received(_ piece: ByteBuffer) throws(Fatal) -> Download.Verdict {
        let step = pull.took(piece.readableBytes)
        guard step == .goOn else {
            stop = step
            return .stop
        }
        do {
            try handle?.write(contentsOf: Data(piece.readableBytesView))
            return .goOn
        } catch {
            throw Fatal("cannot write \(part.path): \(SystemError.text(error))")
        }
    }

    /// Of `bytes 100-199/200` (RFC 9110 section 14.4).
    private static func rangeStart(_ header: String) -> UInt64? {
        guard header.hasPrefix("bytes ") else { return nil }
        return header.dropFirst("bytes ".count).split(separator: "-").first.flatMap { UInt64($0) }
    }
}
