import Foundation
import Logging
import NIOCore
import Outbound
import Synchronization

/// Tells one receiver, one delivery after the other, as long as `run` runs and there may be more.
package final class WebhookSender: Sendable {
    private struct State {
        var queue: WebhookQueue
        var waiter: CheckedContinuation<Void, Never>?
        var isOver = false
    }

    var webhook: Webhook { call.webhook }
    private let call: WebhookCall
    private let metrics: WebhookMetrics
    private let state: Mutex<State>

    /// - Parameter secret: for signatures; nil: there are none.
    init(
        _ webhook: Webhook, _ rule: OutboundRule, _ limits: WebhookLimits, secret: String?,
        metrics: WebhookMetrics = .none, logger: Logger
    ) {
        self.metrics = metrics
        call = WebhookCall(webhook: webhook, rule: rule, limits: limits, secret: secret, logger: logger)
        state = Mutex(State(queue: WebhookQueue(limits)))
    }

    var counts: WebhookQueue.Counts { state.withLock { $0.queue.counts } }
    /// Deliveries that wait.
    var waiting: Int { state.withLock { $0.queue.count } }

    /// - Parameter body: JSON.
    func send(_ body: ByteBuffer) {
        let waiter = change { state in
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

    /// What is left is not told.
    func abandon() { change { $0.queue.abandon() } }

    /// Until all is told and nothing comes any more, or the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            guard let delivery = state.withLock({ $0.queue.first }) else {
                if state.withLock({ $0.isOver }) { return }
                await waitForMore()
                continue
            }
            let answer = await call.attempt(delivery)
            if Task.isCancelled { return }
            metrics.attempted(answer.verdict)
            let step = change { state in
                var random = SystemRandomNumberGenerator()
                return state.queue.hear(answer, using: &random)
            }
            guard case .again(let wait) = step else { continue }
            try? await Task.sleep(for: wait)
        }
    }

    /// Counts what becomes of deliveries.
    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        let (value, before, after) = state.withLock { state in
            let before = state.queue.counts
            let value = body(&state)
            return (value, before, state.queue.counts)
        }
        metrics.ended(after, before: before)
        return value
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
}
