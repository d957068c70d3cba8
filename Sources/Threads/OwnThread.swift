import Foundation
import Glibc

/// A thread of our own, for what blocks or computes for long: no task and no event loop waits for it.
///
///     try OwnThread.start("dns") { continuation.resume(returning: lookUp()) }
package enum OwnThread {
    /// What Foundation's threads have.
    package static let usualStackBytes = 512 << 10

    /// Starts a thread that runs `body` and ends.
    /// - Throws: where the system gives none. Foundation's own `Thread` does not tell: its body just never runs, and who waits
    ///   for it waits for ever.
    package static func start(
        _ name: String, stackBytes: Int = usualStackBytes, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        let work = unsafe Unmanaged.passRetained(Work(name, body))
        let code = unsafe withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { memory in
            guard let attributes = memory.baseAddress else { return EINVAL }
            unsafe pthread_attr_init(attributes)
            defer { unsafe pthread_attr_destroy(attributes) }
            unsafe pthread_attr_setstacksize(attributes, stackBytes)
            unsafe pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
            var thread = pthread_t()
            return unsafe pthread_create(
                &thread, attributes,
                { work in
                    guard let work = unsafe work else { return nil }
                    unsafe Unmanaged<Work>.fromOpaque(work).takeRetainedValue().run()
                    return nil
                }, work.toOpaque())
        }
        guard code == 0 else {
            unsafe work.release()
            throw ThreadError(name: name, code: code)
        }
    }

    private final class Work: Sendable {
        private let name: String
        private let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }

        func run() {
            // For `top -H` and debuggers; only the thread itself can set it.
            Thread.current.name = name
            // A write to a peer that has gone is to be an error, not a signal for the whole process.
            var pipe = sigset_t()
            unsafe sigemptyset(&pipe)
            unsafe sigaddset(&pipe, SIGPIPE)
            unsafe pthread_sigmask(SIG_BLOCK, &pipe, nil)
            body()
        }
    }
}
