import Foundation

/// What OpenCV's forward passes need, with room: Foundation's own default is 512 KiB.
private let workerStackBytes = 8 << 20

/// Starts a thread that runs `body` and ends.
func startThread(named name: String, _ body: @Sendable @escaping () -> Void) {
    let thread = Thread(block: body)
    thread.name = name
    thread.stackSize = workerStackBytes
    thread.start()
}
