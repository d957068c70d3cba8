import Foundation
import Glibc

/// A thread of its own for each child. It starts the child, moves the pixels by blocking reads and writes straight
/// between the pipe and a frame's own buffer (an event loop would read into a buffer of its own first and copy once
/// more), and waits for the end; no task and no event loop ever blocks for a video.
enum HelperThread {
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // A write to a child that has died is to be an error, not a signal for the whole process.
            var pipe = sigset_t()
            unsafe sigemptyset(&pipe)
            unsafe sigaddset(&pipe, SIGPIPE)
            unsafe pthread_sigmask(SIG_BLOCK, &pipe, nil)
            body()
        }
        thread.name = name
        thread.start()
    }
}
