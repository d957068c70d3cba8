import NIOCore
import Synchronization

/// A connection that lives on an event loop.
protocol LoopBound: AnyObject, SendableMetatype {
    /// What other threads often have to tell it, and that needs no closure.
    associatedtype Note: Sendable = Never
    func take(_ note: Note)
    /// Sends what the jobs of one turn have queued.
    func flush()
}

extension LoopBound where Note == Never {
    func take(_ note: Never) {}
}

/// The way from any thread to a connection on its loop. Jobs run in order; those of one turn share one flush.
final class LoopInbox<Target: LoopBound>: Sendable {
    private enum Job: Sendable {
        case note(Target.Note)
        case run(@Sendable (Target) -> Void)
    }

    private struct Jobs {
        var waiting: [Job] = []
        /// Memory of the last turn.
        var spare: [Job] = []

        mutating func take() -> [Job] {
            defer {
                waiting = spare
                spare = []
            }
            return waiting
        }
    }

    /// After a burst, no more than this is kept for the next turn.
    private static var keptJobs: Int { 1024 }

    let eventLoop: any EventLoop
    private let target: NIOLoopBound<Target>
    private let jobs = Mutex(Jobs())

    /// On the loop only.
    init(_ target: Target, on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.target = NIOLoopBound(target, eventLoop: eventLoop)
    }

    func submit(_ job: @escaping @Sendable (Target) -> Void) { submit(.run(job)) }

    func submit(_ note: Target.Note) { submit(.note(note)) }

    private func submit(_ job: Job) {
        let isFirst = jobs.withLock { jobs in
            jobs.waiting.append(job)
            return jobs.waiting.count == 1
        }
        if isFirst { eventLoop.execute { self.run() } }
    }

    private func run() {
        var batch = jobs.withLock { $0.take() }
        let target = target.value
        for job in batch {
            switch job {
            case .note(let note): target.take(note)
            case .run(let body): body(target)
            }
        }
        if batch.capacity <= Self.keptJobs {
            batch.removeAll(keepingCapacity: true)
            jobs.withLock { $0.spare = batch }
        }
        target.flush()
    }
}
