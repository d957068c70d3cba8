import RPC

/// Requests of one stream that run at once on a node.
private let streamConcurrency = 8

/// Answers each request of a stream in the order they came, with up to `streamConcurrency` of them running.
/// The first error ends the stream, as gRPC has it.
func answerInOrder(
    _ requests: MessageStream, _ responses: ResponseWriter,
    _ body: @Sendable @escaping (Payload) async throws -> Payload
) async throws {
    try await withThrowingTaskGroup(of: (Int, Payload).self) { group in
        var next = 0
        var sent = 0
        var waiting: [Int: Payload] = [:]
        func take(_ answer: (Int, Payload)?) async throws {
            guard let (index, payload) = answer else { return }
            waiting[index] = payload
            while let ready = waiting.removeValue(forKey: sent) {
                try await responses.write(ready)
                sent += 1
            }
        }
        for try await request in requests {
            while next - sent >= streamConcurrency { try await take(group.next()) }
            let index = next
            group.addTask { (index, try await body(request)) }
            next += 1
        }
        while sent < next { try await take(group.next()) }
    }
}
