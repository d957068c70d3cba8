package import AsyncHTTPClient
package import NIOCore

extension HTTPClientResponse.Body {
    /// All of it. The client's own deadline is that of the head: who stops in the middle of an answer, or sends a byte now and
    /// then, would be waited for without end.
    package func collect(upTo maxBytes: Int, by deadline: NIODeadline) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { try await collect(upTo: maxBytes) }
            tasks.addTask {
                try await Task.sleep(for: .nanoseconds((deadline - NIODeadline.now()).nanoseconds))
                throw HTTPClientError.deadlineExceeded
            }
            return try await tasks.next() ?? ByteBuffer()
        }
    }
}
