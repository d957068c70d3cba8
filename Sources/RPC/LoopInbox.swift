import NIOCore
import Synchronization

/// A connection that lives on an event loop.
protocol LoopBound: AnyObject, SendableMetatype {
    /// Sends what the jobs of one turn have queued.
    func flush()
}

/// The way from any thread to a connection on its loop. Jobs run in order; those of one turn share one flush.
final class LoopInbox<Target: LoopBound>: Sendable {
    typealias Job = @Sendable (Target) -> Void

    let eventLoop: any EventLoop
    private let target: NIOLoopBound<Target>
    private let jobs = Mutex<[Job]>([])

    /// On the loop only.
    init(_ target: Target, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.target = NIOLoopBound(target, eventLoop: eventLoop)
    }

    func submit(_ job: @escaping Job) {
        let isFirst = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        if isFirst { eventLoop.execute { self.run() } }
    }

    private func run() {
        let batch = jobs.withLock { jobs in
            let batch = jobs
            jobs = []
            return batch
        }
        let target = target.value
        for job in batch { job(target) }
        target.flush()
    }
}
