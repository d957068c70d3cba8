import Foundation

/// What OpenCV's forward passes need, with room: Foundation's own default is 512 KiB.
private let workerStackBytes = 8 << 20

/// Starts a thread that runs `body` and ends.
func startThread(named name: String, _ body: @Sendable @escaping () -> Void) {
    let thread = Thread {
        // For `top -H` and debuggers; only the thread itself can set it.
        Thread.current.name = name
        body()
    }
    thread.stackSize = workerStackBytes
    thread.start()
}
