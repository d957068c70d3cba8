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

extension JobStore {
    /// Results are read in pages, so that a long video is never whole in memory.
    static let pageSize = 256

    /// - Returns: `pageSize` results from a sequence on, in order; fewer if there are no more.
    func page(of id: JobID, from first: Int64) async throws -> [AnalyzeResponse] {
        try await results(of: id, from: first, limit: Self.pageSize).map { try $0.response }
    }
}
