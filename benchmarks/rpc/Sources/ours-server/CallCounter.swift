import RPC
import Synchronization

/// Counts calls by method, as a service with metrics would: what is measured has its interceptors on.
struct CallCounter: ServerInterceptor {
    private final class Counts: Sendable {
        let begun = Atomic(0)
        let failed = Atomic(0)
    }

    func hooks(for method: MethodDescription) -> CallHooks {
        let counts = Counts()
        return CallHooks(
            admit: { _ in counts.begun.add(1, ordering: .relaxed) },
            finished: { _, report in
                if report.error != nil { counts.failed.add(1, ordering: .relaxed) }
            })
    }
}
