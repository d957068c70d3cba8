package import NIOCore

/// Runs tasks on an event loop: what waits there for the loop's connections goes on without a change of threads. A task
/// that computes for long, or blocks, holds up all of them.
package final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    package init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
