import Areas
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Mesh
import NIOCore
import Outbound
import RPC
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct WebhookTests {
    private static let quick: WebhookLimits = {
        var limits = WebhookLimits()
        limits.backoff = Backoff(initial: .milliseconds(1), factor: 1, longest: .milliseconds(1), jitter: 0)
        limits.timeout = .seconds(60)
        return limits
    }()

    /// What a receiver was told.
    private struct Told: Sendable {
        var delivery: String
        var attempt: String
        var signature: String?
        var body: String
    }

    private final class Receiver: Sendable {
        let told = Mutex<[Told]>([])
        let statuses: Mutex<[HTTPResponse.Status]>

        init(_ statuses: [HTTPResponse.Status]) { self.statuses = Mutex(statuses) }

        func add(to router: Router<GatewayContext>) {
            router.post("hook") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                self.told.withLock {
                    $0.append(
                        Told(
                            delivery: request.headers[HTTPField.Name("X-Framemesh-Delivery")!] ?? "",
                            attempt: request.headers[HTTPField.Name("X-Framemesh-Attempt")!] ?? "",
                            signature: request.headers[HTTPField.Name("X-Framemesh-Signature")!],
                            body: String(decoding: body.readableBytesView, as: UTF8.self)))
                }
                let status = self.statuses.withLock { $0.isEmpty ? .ok : $0.removeFirst() }
                return Response(status: status, headers: status == .found ? [.location: "/elsewhere"] : [:])
            }
            router.post("elsewhere") { _, _ in
                self.told.withLock { $0.append(Told(delivery: "elsewhere", attempt: "", body: "")) }
                return Response(status: .ok)
            }
            router.get("elsewhere") { _, _ in
                self.told.withLock { $0.append(Told(delivery: "elsewhere", attempt: "", body: "")) }
                return Response(status: .ok)
            }
        }
    }

    private static func send(
        _ bodies: [String], to receiver: Receiver, limits: WebhookLimits = quick, secret: String? = nil,
        allow: [String] = ["localhost", "127.0.0.0/8"], host: String = "127.0.0.1",
        dns: DNSConfiguration = DNSConfiguration(), metrics: WebhookMetrics = .none
    ) async throws -> WebhookQueue.Counts {
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            let url = try OutboundURL("http://\(host):\(server.address.port!)/hook", ports: ["http": 80])
            let sender = WebhookSender(
                Webhook(url: url), try OutboundRule(allow: allow, dns: dns), limits, secret: secret, metrics: metrics,
                logger: quiet)
            for body in bodies { sender.send(ByteBuffer(string: body)) }
            sender.finish()
            await sender.run()
            return sender.counts
        }
    }

    private static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    @Test func aReceiverThatFailsTwiceHearsTheSameThreeTimes() async throws {
        let receiver = Receiver([.internalServerError, .serviceUnavailable])
        let shown = PrometheusMetrics()
        let metrics = WebhookMetrics(of: "streams", factory: shown)
        let counts = try await Self.send(["one", "two"], to: receiver, metrics: metrics)
        let text = shown.text
        #expect(text.contains(#"framemesh_webhook_attempts_total{of="streams",outcome="again"} 2"#))
        #expect(text.contains(#"framemesh_webhook_deliveries_total{of="streams",outcome="delivered"} 2"#))
        let told = receiver.told.withLock { $0 }
        #expect(told.map(\.body) == ["one", "one", "one", "two"])
        #expect(told.map(\.attempt) == ["1", "2", "3", "1"])
        #expect(Set(told.prefix(3).map(\.delivery)).count == 1)
        #expect(told[0].delivery != told[3].delivery)
        #expect(told.allSatisfy { $0.signature == nil })
        #expect(counts == WebhookQueue.Counts(delivered: 2))
    }

    @Test func aSignatureProvesWhoTells() async throws {
        let receiver = Receiver([])
        _ = try await Self.send([#"{"a":1}"#], to: receiver, secret: "s3cret")
        let told = try #require(receiver.told.withLock { $0.first })
        let parts = try #require(told.signature).split(separator: ",")
        let second = try #require(parts.first?.split(separator: "=").last)
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(second).\(told.body)".utf8), using: SymmetricKey(data: Data("s3cret".utf8)))
        let digits = code.map { String(format: "%02x", $0) }.joined()
        #expect(parts.last == "v1=\(digits)")
        #expect(abs(try #require(Double(second)) - Date().timeIntervalSince1970) < 600)
    }

    @Test func aReceiverThatDoesNotAnswerHasItsTime() async throws {
        var limits = Self.quick
        limits.timeout = .milliseconds(100)
        limits.attempts = 2
        let counts = try await LittleServer.with { router in
            router.post("hook") { _, _ in
                // Until the test is over.
                try await Task.sleep(for: .seconds(3600))
                return Response(status: .ok)
            }
        } _: { server in
            let sender = WebhookSender(
                Webhook(url: try OutboundURL(server.base + "/hook", ports: ["http": 80])),
                try OutboundRule(allow: ["127.0.0.0/8"]), limits, secret: nil, logger: Self.quiet)
            sender.send(ByteBuffer(string: "one"))
            sender.finish()
            await sender.run()
            return sender.counts
        }
        #expect(counts == WebhookQueue.Counts(failed: 1))
    }

    @Test func whyAReceiverWasNotReachedIsToldInTheSystemsWords() async throws {
        let recorder = LogRecorder()
        var limits = Self.quick
        limits.attempts = 1
        let sender = WebhookSender(
            Webhook(url: try OutboundURL("http://127.0.0.1:1/hook", ports: ["http": 80])),
            try OutboundRule(allow: ["127.0.0.0/8"]), limits, secret: nil, logger: recorder.logger)
        sender.send(ByteBuffer(string: "one"))
        sender.finish()
        await sender.run()
        let said = recorder.lines.filter { $0.message == "webhook not sent" }
        #expect(said.map { $0.metadata["error"] } == ["connection refused"])
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let receiver = Receiver([.found])
        let counts = try await Self.send(["one"], to: receiver)
        #expect(receiver.told.withLock { $0.map(\.body) } == ["one"])
        #expect(counts == WebhookQueue.Counts(failed: 1))
    }

    @Test func aNameThatLeadsHomeIsNotCalled() async throws {
        let receiver = Receiver([])
        var counts = try await Self.send(["one"], to: receiver, allow: ["localhost"], host: "localhost")
        #expect(counts == WebhookQueue.Counts(failed: 1))
        #expect(receiver.told.withLock { $0.isEmpty })
        // The same name where the range is allowed, called at the address that was looked at.
        counts = try await Self.send(
            ["one"], to: receiver, allow: ["localhost", "127.0.0.0/8", "::1"], host: "localhost")
        #expect(counts == WebhookQueue.Counts(delivered: 1))
    }

    @Test func anAddressAtWhichNobodyAnswersIsNoFailure() async throws {
        let receiver = Receiver([])
        // The receiver listens at the second one alone.
        let counts = try await LittleNameServer.with([[127, 0, 0, 2], [127, 0, 0, 1]]) { dns in
            try await Self.send(
                ["one"], to: receiver, allow: ["hooks.example", "127.0.0.0/8"], host: "hooks.example", dns: dns)
        }
        #expect(receiver.told.withLock { $0.map(\.attempt) } == ["1"])
        #expect(counts == WebhookQueue.Counts(delivered: 1))
    }

    // MARK: The queue alone

    private static func delivery(_ id: Int) -> WebhookQueue.Delivery {
        WebhookQueue.Delivery(id: "\(id)", body: ByteBuffer())
    }

    @Test func whatIsTooMuchIsLostAndCounted() {
        var limits = WebhookLimits()
        limits.queue = 3
        var queue = WebhookQueue(limits)
        for id in 0..<10 { queue.append(Self.delivery(id)) }
        #expect(queue.counts.dropped == 7)
        #expect(queue.first?.id == "0")
    }

    @Test func attemptsEnd() {
        var limits = WebhookLimits()
        limits.attempts = 3
        var queue = WebhookQueue(limits)
        queue.append(Self.delivery(1))
        queue.append(Self.delivery(2))
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2 {
            guard case .again = queue.hear(.none, using: &random) else {
                Issue.record("given up too early")
                return
            }
        }
        #expect(queue.hear(.none, using: &random) == .go)
        #expect(queue.first?.id == "2")
        #expect(queue.counts.failed == 1)
    }

    @Test func waitsGrowAndAreOfChance() {
        var limits = WebhookLimits()
        limits.attempts = 100
        var queue = WebhookQueue(limits)
        queue.append(Self.delivery(1))
        var random = SystemRandomNumberGenerator()
        var waits: [Duration] = []
        for _ in 0..<20 {
            if case .again(let wait) = queue.hear(.status(503, retryAfter: nil), using: &random) { waits.append(wait) }
        }
        #expect(waits.count == 20)
        #expect(waits[0] < .seconds(1.31) && waits[0] > .seconds(0.69))
        #expect(waits.allSatisfy { $0 <= .seconds(78) })
        #expect(waits[19] > .seconds(41))
        #expect(Set(waits).count > 1)
    }

    @Test func retryAfterIsHeededWithinBounds() {
        var queue = WebhookQueue(WebhookLimits())
        queue.append(Self.delivery(1))
        var random = SystemRandomNumberGenerator()
        #expect(queue.hear(.status(429, retryAfter: .seconds(30)), using: &random) == .again(after: .seconds(30)))
        #expect(queue.hear(.status(503, retryAfter: .seconds(1 << 40)), using: &random) == .again(after: .seconds(60)))
    }

    @Test(arguments: [400, 401, 404, 410, 301, 307])
    func whatWouldBeSaidAgainIsNotAskedAgain(_ code: Int) {
        var queue = WebhookQueue(WebhookLimits())
        queue.append(Self.delivery(1))
        var random = SystemRandomNumberGenerator()
        #expect(queue.hear(.status(code, retryAfter: nil), using: &random) == .go)
        #expect(queue.counts == WebhookQueue.Counts(failed: 1))
    }

    @Test func topicsAreChosen() throws {
        let url = try OutboundURL("http://example.org/", ports: ["http": 80])
        #expect(Webhook(url: url).wants(.count))
        let some = Webhook(url: url, topics: [.cross, .state])
        #expect(some.wants(.cross) && some.wants(.state) && !some.wants(.count))
        for kind in AreaEvent.Kind.allCases { #expect(Webhook.Topic(kind).rawValue == kind.rawValue) }
    }
}
