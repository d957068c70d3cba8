import RPC

/// Requests of one stream that run at once on a node.
private let streamConcurrency = 8

/// Answers each request of a stream as soon as those before it are answered, with up to `streamConcurrency` of them
/// running. The first error, in the order of requests, ends the stream, as gRPC has it.
func answerInOrder(
    _ requests: MessageStream, _ responses: ResponseWriter,
    _ body: @Sendable @escaping (Payload) async throws -> Payload
) async throws {
    // As many tasks as may run; request n belongs to task n mod `streamConcurrency`, from its reading to its answer.
    let reading = Turnstile()
    let writing = Turnstile()
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        for first in 0..<streamConcurrency {
            tasks.addTask {
                var number = first
                while let answer = try await nextAnswer(number, requests, reading, body) {
                    try await writing.wait(for: number)
                    try await responses.write(answer.get())
                    writing.pass()
                    number += streamConcurrency
                }
            }
        }
        // Ends at the first error, which cancels the others.
        while try await tasks.next() != nil {}
    }
}

/// Reads and runs one request, which is let go with the return. nil: there are no more.
private func nextAnswer(
    _ number: Int, _ requests: MessageStream, _ reading: Turnstile,
    _ body: @Sendable (Payload) async throws -> Payload
) async throws -> Result<Payload, any Error>? {
    try await reading.wait(for: number)
    var iterator = requests.makeAsyncIterator()
    let request = try await iterator.next()
    reading.pass()
    guard let request else { return nil }
    do {
        return .success(try await body(request))
    } catch {
        return .failure(error)
    }
}
