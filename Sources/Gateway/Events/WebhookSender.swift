import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Tells one receiver, one delivery after the other, as long as `run` runs and there may be more.
package final class WebhookSender: Sendable {
    private struct State {
        var queue: WebhookQueue
        var waiter: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    let webhook: Webhook
    private let rule: OutboundRule
    private let limits: WebhookLimits
    private let secret: String?
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameter secret: for signatures; nil: there are none.
    init(_ webhook: Webhook, _ rule: OutboundRule, _ limits: WebhookLimits, secret: String?, logger: Logger) {
        self.webhook = webhook
        self.rule = rule
        self.limits = limits
        self.secret = secret
        self.logger = logger
        state = Mutex(State(queue: WebhookQueue(limits)))
    }

    var counts: WebhookQueue.Counts { state.withLock { $0.queue.counts } }

    /// - Parameter body: JSON.
    func send(_ body: ByteBuffer) {
        let waiter = state.withLock { state in
            state.queue.append(WebhookQueue.Delivery(id: UUID().uuidString.lowercased(), body: body))
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Nothing comes any more.
    func finish() {
        let waiter = state.withLock { state in
            state.isOver = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Until all is told and nothing comes any more, or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            guard let delivery = state.withLock({ $0.queue.first }) else {
                if state.withLock({ $0.isOver }) { return }
                await waitForMore()
                continue
            }
            let answer = await attempt(delivery)
            if Task.isCancelled { return }
            let step = state.withLock { state in
                var random = SystemRandomNumberGenerator()
                return state.queue.hear(answer, using: &random)
            }
            guard case .again(let wait) = step else { continue }
            try? await Task.sleep(for: wait)
        }
    }

    private func waitForMore() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                let isReady = state.withLock { state in
                    if state.queue.first != nil || state.isOver || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiter.take() }?.resume()
        }
    }

    private func attempt(_ delivery: WebhookQueue.Delivery) async -> WebhookQueue.Answer {
        do {
            // Asked each time: a name may mean something else by now.
            let address = try await rule.address(of: webhook.url)
            return try await post(delivery, to: address)
        } catch let error as OutboundError {
            logger.notice("webhook not sent", metadata: ["url": "\(webhook.url.shown)", "error": "\(error.message)"])
            return error.isForbidden ? .forbidden : .none
        } catch {
            logger.info("webhook not sent", metadata: ["url": "\(webhook.url.shown)", "error": "\(error)"])
            return .none
        }
    }

    private func post(_ delivery: WebhookQueue.Delivery, to address: NetworkAddress) async throws
        -> WebhookQueue.Answer
    {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.dnsOverride = [webhook.url.host: address.description]
        configuration.timeout.connect = TimeAmount(limits.timeout)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let response = try await client.execute(request(delivery), timeout: TimeAmount(limits.timeout))
            // What else it says is not heard.
            let answer = WebhookQueue.Answer.status(
                Int(response.status.code),
                retryAfter: response.headers.first(name: "retry-after").flatMap(Int.init).map { .seconds($0) })
            // It was told, whatever becomes of the connection.
            try? await client.shutdown()
            return answer
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func request(_ delivery: WebhookQueue.Delivery) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: webhook.url.text)
        request.method = .POST
        request.headers = [
            "content-type": "application/json", "user-agent": "framemesh", "x-framemesh-delivery": delivery.id,
            "x-framemesh-attempt": String(delivery.failures + 1),
        ]
        if let secret {
            let now = Int64(Date().timeIntervalSince1970)
            request.headers.add(
                name: "x-framemesh-signature",
                value: WebhookSignature.header(secret: secret, second: now, body: delivery.body))
        }
        request.body = .bytes(delivery.body)
        return request
    }
}
