import AsyncHTTPClient
import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Outbound
import RPC

/// One attempt to tell one receiver something.
struct WebhookCall: Sendable {
    let webhook: Webhook
    let rule: OutboundRule
    let limits: WebhookLimits
    /// For signatures; nil: there are none.
    let secret: String?
    let logger: Logger

    func attempt(_ delivery: WebhookQueue.Delivery) async -> WebhookQueue.Answer {
        do {
            // Asked each time: a name may mean something else by now.
            let addresses = try await rule.addresses(of: webhook.url)
            let end = NIODeadline.now() + TimeAmount(limits.timeout)
            for address in addresses.dropLast() {
                do {
                    return try await post(delivery, to: address, until: end)
                } catch  where Self.isUnreached(error) {
                    continue
                }
            }
            return try await post(delivery, to: addresses[addresses.count - 1], until: end)
        } catch let error as OutboundError {
            logger.notice("webhook not sent", metadata: ["url": "\(webhook.url.place)", "error": "\(error.message)"])
            return error.isForbidden ? .forbidden : .none
        } catch {
            let reason = (error as? HTTPClientError)?.shortDescription ?? SystemError.text(error)
            logger.info("webhook not sent", metadata: ["url": "\(webhook.url.place)", "error": "\(reason)"])
            return .none
        }
    }

    /// Nobody there has heard of it: another address may be asked.
    private static func isUnreached(_ error: any Error) -> Bool {
        if let error = error as? IOError { return unreached.contains(error.errnoCode) }
        return error is NIOConnectionError || error as? HTTPClientError == .connectTimeout
    }

    private static let unreached: Set = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL]

    private func post(
        _ delivery: WebhookQueue.Delivery, to address: NetworkAddress, until end: NIODeadline
    ) async throws -> WebhookQueue.Answer {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.dnsOverride = [webhook.url.host: address.description]
        configuration.timeout.connect = TimeAmount(limits.timeout)
        // Who refuses is not asked until the time is over: there may be another address, and attempts are ours to count.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let response = try await client.execute(request(delivery), deadline: end)
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
