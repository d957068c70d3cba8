package import RPC

/// How insistently receivers are told.
package struct WebhookLimits: Sendable, Equatable {
    /// Of one stream or video.
    package var webhooks = 8
    /// Deliveries that wait for one receiver. What comes while there are as many is lost, and counted.
    package var queue = 256
    /// Of one delivery, the first included.
    package var attempts = 8
    /// For one attempt, the name and the connection included.
    package var timeout = Duration.seconds(10)
    /// Between attempts. A receiver's `Retry-After` is heeded up to the longest wait.
    package var backoff = Backoff(initial: .seconds(1), factor: 2, longest: .seconds(60), jitter: 0.3)

    /// How long what is still to be told of a stream that has ended is tried.
    package var lastWords = Duration.seconds(10)

    package init() {}

    package static let limits: [Limit<WebhookLimits>] = [
        Limit("webhooks", \.webhooks, .count, "Webhooks of one stream or video."),
        Limit("webhook-queue", \.queue, .count, "Deliveries that wait for one receiver; more are lost, and counted."),
        Limit("webhook-attempts", \.attempts, .count, "Attempts of one delivery."),
        Limit("webhook-timeout", \.timeout, "For one attempt."),
        Limit("webhook-backoff", \.backoff.initial, "Before the second attempt; doubled for each further one."),
        Limit("webhook-longest-backoff", \.backoff.longest, "The longest wait between attempts."),
        Limit("webhook-last-words", \.lastWords, "How long what is untold of a stream that has ended is tried."),
    ]
}
