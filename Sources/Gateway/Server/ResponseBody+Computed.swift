import Hummingbird

extension ResponseBody {
    /// One that takes a processor's time, or goes on for long: made in Swift's pool, since on the loop of its connection it
    /// would hold up all requests there.
    static func computed(
        _ write: @Sendable @escaping (inout any ResponseBodyWriter) async throws -> Void
    ) -> ResponseBody {
        ResponseBody { writer in
            try await withTaskExecutorPreference(globalConcurrentExecutor) { try await write(&writer) }
        }
    }
}
