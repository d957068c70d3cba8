package import Logging
package import NIOCore
import NIOPosix

extension TLSContextStore {
    /// Looks at the files, off the event loops, and says in the log what has changed.
    /// - Throws: `RPCError` FAILED_PRECONDITION if they cannot be used; what was read before them stays.
    func renew(_ logger: Logger) async throws {
        try await NIOThreadPool.singleton.runIfActive { try self.report(self.refresh(), logger) }
    }

    /// The same every `interval`, until the task is cancelled. Nothing, if there are no files.
    package func watch(every interval: Duration, on loop: any EventLoop, _ logger: Logger) -> RepeatedTask? {
        guard hasFiles, interval > .zero else { return nil }
        let delay = TimeAmount(interval)
        return loop.scheduleRepeatedAsyncTask(initialDelay: delay, delay: delay) { _ in
            NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
                // It is in the log.
                try? self.report(self.refresh(), logger)
            }
        }
    }

    private func report(_ change: Change, _ logger: Logger) throws(RPCError) {
        switch change {
        case .none: break
        case .renewed:
            logger.info("TLS files were read again", metadata: ["files": "\(fileNames)"])
        case .refused(let error):
            logger.error(
                "TLS files cannot be used, those before them stay",
                metadata: ["files": "\(fileNames)", "reason": "\(error.message)"])
            throw error
        case .stillRefused(let error): throw error
        }
    }

    private var fileNames: String { settings.sources.filter(\.isFile).map(\.name).joined(separator: ", ") }
}
