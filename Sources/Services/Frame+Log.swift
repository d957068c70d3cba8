public import Messages
import RPC

extension Frame {
    /// What the log says of it.
    public var subject: [String: String] {
        var subject = ["frame": "\(sequence)"]
        if !stream.isEmpty { subject["stream"] = stream }
        return subject
    }

    /// - Throws: what `body` does; what the log says of that names the frame.
    func named<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch var error as RPCError {
            error.subject.merge(subject) { told, _ in told }
            throw error
        }
    }
}
