import Jobs
import Messages
import NIOCore

extension FrameResult {
    /// What the mesh said of the frame.
    init(_ response: AnalyzeResponse) {
        self.init(sequence: Int64(response.sequence), body: response.encode().message)
    }

    /// - Throws: `MessageError`: the store holds something else.
    var response: AnalyzeResponse { get throws { try AnalyzeResponse.decode(WireMessage(message: body)) } }
}

/// Some results of a video, in order: they are read in pages, so that neither a long video nor one with much in its frames
/// is ever whole in memory.
struct ResultsPage: Sendable {
    var results: [AnalyzeResponse]
    /// There are no more at this time.
    var isLast: Bool
}

extension VideoServices {
    /// - Returns: at least one result from a sequence on, if there is any, and no more than a page's frames and bytes.
    func page(of id: JobID, from first: Int64) async throws -> ResultsPage {
        let (frames, bytes) = (limits.pageFrames, limits.pageBytes)
        let found = try await store.results(of: id, from: first, limit: frames, bytes: bytes)
        let isLast = found.count < frames && found.reduce(0) { $0 + $1.body.readableBytes } < bytes
        return ResultsPage(results: try found.map { try $0.response }, isLast: isLast)
    }
}
