import Foundation
import HTTPTypes
import Hummingbird
import Outbound
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What is still to be told of a stream that has ended.
@Suite struct LastWordsTests {
    private final class Receiver: Sendable {
        /// How often it was told that the stream has ended.
        let told = Mutex(0)
        /// It takes what it was told so often, and nothing before.
        let patience: Int

        init(patience: Int) { self.patience = patience }

        func add(to router: Router<GatewayContext>) {
            router.post("hook") { request, _ in
                let body = String(buffer: try await request.body.collect(upTo: 1 << 20))
                guard ["\"ended\"", "\"failed\""].contains(where: { body.contains("\"state\":\($0)") }) else {
                    return Response(status: .ok)
                }
                let isTaken = self.told.withLock { told in
                    told += 1
                    return told >= self.patience
                }
                return Response(status: isTaken ? .ok : .serviceUnavailable)
            }
        }
    }

    /// Returns when a stream that nobody pushes to has ended and is not shown any more.
    private static func end(of receiver: Receiver, _ lastWords: Duration) async throws {
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestStream.with {
                $0.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
                $0.limits.webhooks.lastWords = lastWords
                $0.limits.webhooks.attempts = 1_000_000
                $0.limits.webhooks.timeout = .seconds(120)
                $0.limits.webhooks.backoff = Backoff(
                    initial: .milliseconds(1), factor: 1, longest: .milliseconds(1), jitter: 0)
                $0.limits.streams.pushIdle = .milliseconds(20)
                $0.limits.streams.remembered = .milliseconds(1)
            } _: { gateway in
                var fields = TestStream.pushed
                fields["webhooks"] = [["url": server.base + "/hook", "events": ["state"]]]
                let path = try await TestStream.begin(gateway, fields)
                let end = ContinuousClock.now + .seconds(120)
                while try await gateway.get(path).status != 404 {
                    guard ContinuousClock.now < end else { throw Failure("its last words are told for ever") }
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    @Test func lastWordsAreToldAgainUntilTheyAreHeard() async throws {
        let receiver = Receiver(patience: 5)
        try await Self.end(of: receiver, .seconds(3600))
        #expect(receiver.told.withLock { $0 } == 5)
    }

    /// What is untold in the end is counted, as what is left out before.
    @Test func whatIsNeverToldIsCounted() async throws {
        let receiver = Receiver(patience: .max)
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestStream.with {
                $0.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
                $0.limits.webhooks.lastWords = .milliseconds(100)
                $0.limits.streams.pushIdle = .milliseconds(20)
            } _: { gateway in
                var fields = TestStream.pushed
                fields["webhooks"] = [["url": server.base + "/hook", "events": ["state"]]]
                let path = try await TestStream.begin(gateway, fields)
                try await within(.seconds(120), "nothing is dropped") {
                    while true {
                        let hooks = try await gateway.get(path).json()["webhooks"] as? [[String: Any]]
                        if hooks?.first?[path: "dropped"] == 1 { return }
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
            }
        }
    }

    @Test func whoNeverHearsThemIsNotToldForEver() async throws {
        let receiver = Receiver(patience: .max)
        try await Self.end(of: receiver, .milliseconds(100))
    }
}
