import Logging
import NIOCore
import Results

/// All who are told of one stream by webhooks.
struct StreamWebhooks: Sendable {
    let senders: [WebhookSender]
    private let stream: String
    private let name: String
    private let patience: Duration

    /// - Parameters:
    ///   - stream: its id.
    ///   - name: of the stream.
    init(
        _ webhooks: [Webhook], of stream: String, name: String, _ rules: StreamRules, metrics: WebhookMetrics,
        logger: Logger
    ) {
        senders = webhooks.map { webhook in
            WebhookSender(
                webhook, rules.webhooks, rules.webhookLimits, secret: rules.webhookSecret, metrics: metrics,
                logger: logger)
        }
        self.stream = stream
        self.name = name
        patience = rules.webhookLimits.lastWords
    }

    /// - Parameter json: of the event.
    func tell(_ topic: Webhook.Topic, _ type: String, _ json: String) {
        let interested = senders.filter { $0.webhook.wants(topic) }
        guard !interested.isEmpty else { return }
        let body = #"{"type":"\#(type)","stream":"\#(stream)","name":\#(JSONText.quoted(name)),"event":\#(json)}"#
        for sender in interested { sender.send(ByteBuffer(string: body)) }
    }

    /// Sends while `body` runs, and after it until all who are told have heard, or soon after.
    func run(while body: () async -> Void) async {
        await withTaskGroup(of: Bool.self) { tellers in
            for sender in senders {
                tellers.addTask {
                    await sender.run()
                    return false
                }
            }
            await body()
            for sender in senders { sender.finish() }
            tellers.addTask { [patience] in
                try? await Task.sleep(for: patience)
                return true
            }
            for _ in senders {
                if await tellers.next() == true { break }
            }
            tellers.cancelAll()
        }
        for sender in senders { sender.abandon() }
    }
}
