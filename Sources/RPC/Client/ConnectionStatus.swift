import Synchronization

/// What any thread may ask of a client connection.
final class ConnectionStatus: Sendable {
    private let identity = Mutex<String?>(nil)
    private let answered = Atomic(false)
    /// It takes no new calls.
    private let unusable = Ending<Void>()
    private let end = Ending<RPCError>()
    private let waiters = Waiters<RPCError>()

    var isUsable: Bool { unusable.value == nil }
    var attachmentPeer: String? { identity.withLock { $0 } }
    /// A response head or a status has come, of any call.
    var hasAnswered: Bool { answered.load(ordering: .relaxed) }

    func stopUse() { unusable.happened(()) }

    func onUnusable(_ listener: @escaping @Sendable () -> Void) { unusable.tell { _ in listener() } }

    func announced(_ name: String) { identity.withLock { $0 = name } }

    func gotAnswer() { answered.store(true, ordering: .relaxed) }

    func end(_ error: RPCError) {
        stopUse()
        end.happened(error)
        waiters.resume(with: .success(end.value ?? error))
    }

    /// CANCELLED if the task is.
    func closed() async -> RPCError {
        do {
            return try await waiters.wait("task was cancelled while it waited for the end of a connection") {
                end.value.map { .success($0) }
            }
        } catch {
            return RPCError(of: error)
        }
    }
}
