import Logging
import RPC
import Services
import Synchronization

/// Whose share of the queue a call takes.
///
/// That is the client that a coordinator names. Whoever calls without a credential is believed, since the node has let it
/// in unseen; of those with one, only who has the scope `coordinator`: others could take as many shares as they have names.
final class ClientTrust: Sendable {
    private let logger: Logger
    private let hasWarned = Atomic(false)

    init(logger: Logger) { self.logger = logger }

    func client(of context: CallContext) -> CallOrigin {
        guard let told = ClientKey.told(in: context.metadata) else { return context.caller }
        guard let principal = context.principal, !principal.scopes.contains(ClientKey.scope) else { return told }
        if !hasWarned.exchange(true, ordering: .relaxed) {
            logger.warning(
                "all clients of this caller have one share: it lacks the scope '\(ClientKey.scope)'",
                metadata: ["caller": "\(principal)"])
        }
        return context.caller
    }
}
