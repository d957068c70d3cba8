import NIOCore
import RPC

/// Methods that do something simple for long, so that an attack finds them in every state. Requests and answers are
/// text, not protobuf. Each handler counts its beginning and its end.
struct TargetService: RPCService {
    let tally: Tally
    let budget: MemoryBudget

    var serviceName: String { "test.Target" }

    var methods: [String: RPCHandler] {
        [
            "Echo": .unary { context, request in try await counted(context) { UnaryResponse(request) } },
            "Now": .immediate { _, request in UnaryResponse(request) },
            // Milliseconds; ends early when it is cancelled.
            "Wait": .unary { context, request in
                try await counted(context) {
                    try await Task.sleep(for: .milliseconds(number(request)))
                    return UnaryResponse(request)
                }
            },
            // Milliseconds; does not notice that it is cancelled, as a worker in C would not.
            "Work": .unary { context, request in
                tally.count("work_begun").increment(by: 1)
                return try await counted(context) {
                    await Task.detached { try? await Task.sleep(for: .milliseconds(number(request))) }.value
                    return UnaryResponse(request)
                }
            },
            // `MILLISECONDS BYTES`: so many bytes, so much later.
            "Give": .unary { context, request in
                try await counted(context) {
                    let words = String(buffer: request.message).split(separator: " ").compactMap { Int($0) }
                    guard words.count == 2 else { throw RPCError(.invalidArgument, "want MILLISECONDS BYTES") }
                    if words[0] > 0 { try await Task.sleep(for: .milliseconds(words[0])) }
                    return UnaryResponse(Payload(ByteBuffer(repeating: 1, count: words[1])))
                }
            },
            // Counts what comes.
            "Read": .stream { context, requests, responses in
                try await counted(context) {
                    var (messages, bytes) = (0, 0)
                    for try await request in requests {
                        messages += 1
                        bytes += request.message.readableBytes
                    }
                    try await responses.write(Payload(ByteBuffer(string: "\(messages) \(bytes)")))
                }
            },
            // Takes nothing, until it is cancelled; a long sleep that is cancelled would keep its timer, and that memory, until its time.
            "Hold": .stream { context, _, _ in
                let (never, holder) = AsyncStream.makeStream(of: Never.self)
                try await counted(context) { for await _ in never {} }
                holder.finish()
            },
            // `COUNT SIZE`: so many messages of so many bytes.
            "Flood": .stream { context, requests, responses in
                try await counted(context) {
                    for try await request in requests {
                        let words = String(buffer: request.message).split(separator: " ").compactMap { Int($0) }
                        guard words.count == 2 else { throw RPCError(.invalidArgument, "want COUNT SIZE") }
                        let message = Payload(ByteBuffer(repeating: 0, count: words[1]))
                        for _ in 0..<words[0] { try await responses.write(message) }
                    }
                }
            },
            "Chat": .stream { context, requests, responses in
                try await counted(context) { for try await request in requests { try await responses.write(request) } }
            },
            "Tally": .immediate { _, _ in
                UnaryResponse(Payload(ByteBuffer(string: tally.text + "budget_used \(budget.used)\n")))
            },
        ]
    }

    /// A thread may be late; so late is none.
    private static let late = TimeAmount.seconds(1)

    private func counted<Value>(_ context: CallContext, _ body: () async throws -> Value) async throws -> Value {
        if let deadline = context.deadline, NIODeadline.now() - deadline.instant > Self.late {
            tally.count("work_after_deadline").increment(by: 1)
        }
        tally.count("handlers_begun").increment(by: 1)
        defer { tally.count("handlers_ended").increment(by: 1) }
        return try await body()
    }

    private func number(_ request: Payload) -> Int { Int(String(buffer: request.message)) ?? 0 }
}
