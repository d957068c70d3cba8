import NIOCore
import Synchronization
import Threads

/// /etc/hosts first, then DNS, by c-ares. Each look-up has a thread of its own, since a server may let it wait.
struct DNSNameService: NameService {
    let configuration: DNSConfiguration
    /// Of the threads.
    var stackBytes = OwnThread.usualStackBytes

    func addresses(of names: [String]) async -> [AddressReply] {
        @Sendable func unusable(_ reason: String) -> [AddressReply] {
            names.map { _ in AddressReply(v4: .failed(reason), v6: .failed(reason)) }
        }
        return await Self.onThread(stackBytes: stackBytes, otherwise: unusable) { [configuration] isCancelled in
            guard let session = AresSession(configuration) else { return unusable(Self.noClient) }
            let known = names.map(session.hostsFile)
            let unknown = zip(names, known).filter { $0.1.isEmpty }.map(\.0)
            let questions = unknown.flatMap { [DNSQuestion($0, .v4), DNSQuestion($0, .v6)] }
            var replies = session.ask(questions, isCancelled: isCancelled)[...]
            return known.map { known in
                guard known.isEmpty, let v4 = replies.popFirst(), let v6 = replies.popFirst() else {
                    return AddressReply(known: known)
                }
                return AddressReply(v4: v4.records(\.addresses), v6: v6.records(\.addresses))
            }
        }
    }

    func services(of name: String) async -> DNSReply<ServiceRecord> {
        await Self.onThread(stackBytes: stackBytes, otherwise: { .failed($0) }) { [configuration] isCancelled in
            guard let session = AresSession(configuration) else { return .failed(Self.noClient) }
            let replies = session.ask([DNSQuestion(name, .service)], isCancelled: isCancelled)
            return replies[0].records(\.services)
        }
    }

    private static let noClient = "no DNS client can be made"

    /// - Parameters:
    ///   - otherwise: what it is where there is no thread, and why.
    ///   - body: asks its argument now and then, and ends when it says so.
    private static func onThread<Value: Sendable>(
        stackBytes: Int, otherwise: @Sendable (_ reason: String) -> Value,
        _ body: @escaping @Sendable (_ isCancelled: () -> Bool) -> Value
    ) async -> Value {
        let flag = CancelFlag()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(ThreadError) {
                    try OwnThread.start("dns", stackBytes: stackBytes) {
                        continuation.resume(returning: body { flag.isSet })
                    }
                } catch {
                    continuation.resume(returning: otherwise("\(error)"))
                }
            }
        } onCancel: {
            flag.set()
        }
    }

    private final class CancelFlag: Sendable {
        private let value = Atomic(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}

struct DNSQuestion: Sendable, Equatable {
    enum Kind: Int32, Sendable {
        case v4 = 1
        case v6 = 28
        case service = 33

        var records: String {
            switch self {
            case .v4: "IPv4 addresses"
            case .v6: "IPv6 addresses"
            case .service: "services"
            }
        }
    }

    var name: String
    var kind: Kind

    init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

extension DNSReply<DNSMessage> {
    /// What a message says in answer to its question.
    fileprivate func records<Value>(
        _ select: (DNSMessage) -> (values: [Value], ttl: Duration?)
    ) -> DNSReply<Value> {
        switch self {
        case .none(let reason): return .none(reason)
        case .failed(let reason): return .failed(reason)
        case .found(let messages, _):
            guard let message = messages.first else { return .none("an empty answer") }
            let (records, ttl) = select(message)
            guard let ttl else { return .none("'\(message.question)' has none of what was asked for") }
            return .found(records, ttl: ttl)
        }
    }
}
