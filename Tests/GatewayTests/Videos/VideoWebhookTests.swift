import Foundation
import HTTPTypes
import Hummingbird
import Outbound
import RPC
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Webhooks of videos, with a receiver that listens.
@Suite struct VideoWebhookTests {
    private struct Told: Sendable {
        var delivery: String
        var attempt: Int
        var body: String

        func json() throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any] ?? [:]
        }
    }

    /// Says to the test what it is told, and to the gateway what it is set to.
    private final class Receiver: Sendable {
        let status = Mutex(HTTPResponse.Status.ok)
        let told: AsyncStream<Told>
        private let tell: AsyncStream<Told>.Continuation

        init() { (told, tell) = AsyncStream.makeStream() }

        func add(to router: Router<GatewayContext>) {
            router.post("hook") { request, _ in
                let body = try await request.body.collect(upTo: 1 << 20)
                func field(_ name: String) -> String { request.headers[HTTPField.Name(name)!] ?? "" }
                self.tell.yield(
                    Told(
                        delivery: field("X-Framemesh-Delivery"), attempt: Int(field("X-Framemesh-Attempt")) ?? 0,
                        body: String(decoding: body.readableBytesView, as: UTF8.self)))
                return Response(status: self.status.withLock { $0 })
            }
        }

        /// All up to the first that is wanted.
        func until(_ isWanted: @Sendable @escaping (Told) throws -> Bool) async throws -> [Told] {
            try await within(.seconds(600), "it is not told") { [told] in
                var all: [Told] = []
                for await one in told {
                    all.append(one)
                    if try isWanted(one) { return all }
                }
                throw Failure("nothing more is told")
            }
        }
    }

    private static func query(_ values: [String: Any]) throws -> String {
        try values.map { name, value in
            let text = try String(decoding: JSONSerialization.data(withJSONObject: value), as: UTF8.self)
            return "\(name)=\(text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }.joined(separator: "&")
    }

    private static var everywhere: [String: Any] {
        [
            "zones": [["name": "all", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]]], "normalized": true,
        ]
    }

    private static func impatient(_ configuration: inout GatewayConfiguration) throws {
        configuration.webhookAllow = try OutboundRule(allow: ["127.0.0.0/8"])
        configuration.limits.webhooks.backoff = Backoff(
            initial: .milliseconds(50), factor: 1, longest: .milliseconds(50), jitter: 0)
        configuration.limits.webhooks.timeout = .seconds(120)
        configuration.limits.webhooks.attempts = 100_000
        configuration.limits.videos.webhookInterval = .milliseconds(50)
        // Where there are two, one is worked out anew at each turn.
        configuration.limits.videos.webhookShelf = 1
    }

    @Test func aReceiverHearsWhatWatchersSeeAndTheEnd() async throws {
        let receiver = Receiver()
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestGateway.with(mesh: .shared, configure: Self.impatient) { gateway in
                let query = try Self.query(["areas": Self.everywhere, "webhooks": [["url": server.base + "/hook"]]])
                let id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=track&name=fall&\(query)").id
                let told = try await receiver.until { try $0.json()["type"] as? String == "end" }
                let end = try #require(try told.last?.json())
                #expect(end["video"] as? String == id && end["name"] as? String == "fall")
                #expect((end["event"] as? [String: Any])?.state == "done")
                #expect(Set(told.map(\.delivery)).count == told.count)
                #expect(told.allSatisfy { $0.attempt == 1 })
                // What watchers are told, word by word, is in it once each, in order.
                let seen = try await gateway.get("/v1/videos/\(id)/events").text.components(
                    separatedBy: "event: area\n"
                )
                .dropFirst().compactMap { $0.split(separator: "\n").first?.dropFirst("data: ".count) }
                #expect(seen.contains { $0.contains("\"type\":\"enter\"") })
                #expect(seen.contains { $0.contains("\"type\":\"leave\"") })
                let events = told.dropLast().map { one in
                    one.body.components(separatedBy: ",\"event\":").last?.dropLast() ?? ""
                }
                #expect(events == seen)
                let webhook = try await Self.webhook(gateway, id) { $0[path: "delivered"] == told.count }
                #expect(webhook[path: "failed"] == 0 && webhook[path: "dropped"] == 0 && webhook["cause"] == nil)
                #expect(webhook["url"] as? String == server.base + "/hook")
            }
        }
    }

    @Test func theEndIsToldAfterARestartOfTheGateway() async throws {
        let receiver = Receiver()
        receiver.status.withLock { $0 = .serviceUnavailable }
        let data = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            func configure(_ configuration: inout GatewayConfiguration) throws {
                try Self.impatient(&configuration)
                configuration.data = data.path
            }
            let first = try await TestGateway.with(mesh: .shared, configure: configure) { gateway in
                let query = try Self.query([
                    "webhooks": [["url": server.base + "/hook", "events": ["done", "failed", "cancelled"]]]
                ])
                let id = try await gateway.uploadVideo(try TestVideo.digits, query).id
                _ = try await gateway.finishedJob(id)
                return try #require(try await receiver.until { _ in true }.last)
            }
            receiver.status.withLock { $0 = .ok }
            try await TestGateway.with(mesh: .shared, configure: configure) { _ in
                // Attempts of the first gateway may be among them.
                let later = try await receiver.until { $0.attempt > first.attempt }
                #expect(Set(later.map(\.delivery)) == [first.delivery])
                #expect(Set(later.map(\.body)) == [first.body])
            }
        }
    }

    @Test func aReceiverThatTakesNothingIsSparedAllButTheEnd() async throws {
        let receiver = Receiver()
        receiver.status.withLock { $0 = .serviceUnavailable }
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestGateway.with(
                mesh: .shared,
                configure: {
                    try Self.impatient(&$0)
                    $0.limits.webhooks.attempts = 3
                },
                { gateway in
                    let query = try Self.query([
                        "areas": Self.everywhere, "webhooks": [["url": server.base + "/hook"]],
                    ])
                    let id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=track&\(query)").id
                    let told = try await receiver.until { try $0.attempt == 3 && $0.json()["type"] as? String == "end" }
                    #expect(told.map(\.attempt) == [1, 2, 3, 1, 2, 3])
                    #expect(Set(told.map(\.delivery)).count == 2)
                    // The first and the end were tried; whoever came in between, and all who left, were not.
                    let webhook = try await Self.webhook(gateway, id) { $0[path: "failed"] == 2 }
                    let events = try await gateway.get("/v1/videos/\(id)/events").text
                    let happened = events.components(separatedBy: "event: area\n").count - 1
                    #expect(webhook[path: "delivered"] == 0 && webhook[path: "dropped"] == happened - 1)
                    #expect(webhook["cause"] as? String == "answered 503")
                })
        }
    }

    @Test func whoRefusesADeliveryIsToldTheNext() async throws {
        let receiver = Receiver()
        receiver.status.withLock { $0 = .notFound }
        let log = LogRecorder()
        try await LittleServer.with {
            receiver.add(to: $0)
        } _: { server in
            try await TestGateway.with(mesh: .shared, logger: log.logger, configure: Self.impatient) { gateway in
                let url = server.base.replacing("http://", with: "http://ada:s3cret@") + "/hook?key=s3cret"
                let query = try Self.query(["areas": Self.everywhere, "webhooks": [["url": url]]])
                let id = try await gateway.uploadVideo(try TestVideo.digits, "pipeline=track&\(query)").id
                let told = try await receiver.until { try $0.json()["type"] as? String == "end" }
                #expect(told.count > 1 && told.allSatisfy { $0.attempt == 1 })
                let webhook = try await Self.webhook(gateway, id) { $0[path: "failed"] == told.count }
                #expect(webhook[path: "delivered"] == 0 && webhook[path: "dropped"] == 0)
                #expect(webhook["cause"] as? String == "answered 404")
                let lines = log.lines.filter { $0.message == "a delivery to a webhook of a video has failed" }
                #expect(lines.count == told.count)
                let said = lines.map { line in ["job", "url", "cause"].map { line.metadata[$0] } }
                #expect(said.allSatisfy { $0 == [id, server.base + "/hook", "answered 404"] }, "\(said)")
            }
        }
    }

    /// The only one of a job, as soon as it is as wanted: the last delivery is counted when it was answered.
    private static func webhook(
        _ gateway: TestGateway, _ id: String, _ isWanted: ([String: Any]) -> Bool
    ) async throws -> [String: Any] {
        let end = ContinuousClock.now + .seconds(120)
        while true {
            let job = try await gateway.get("/v1/videos/\(id)").json()
            let webhook = try #require((job["webhooks"] as? [[String: Any]])?.first, "\(job)")
            if isWanted(webhook) { return webhook }
            guard ContinuousClock.now < end else { throw Failure("still \(webhook)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    @Test func whatIsNotAllowedIsRefusedWithItsField() async throws {
        try await TestGateway.with(mesh: .shared, configure: { $0.webhookAllow = try OutboundRule(allow: ["a.test"]) })
        {
            gateway in
            func refused(_ webhooks: Any) async throws -> (Int, String?) {
                let answer = try await gateway.post(
                    "/v1/videos?\(try Self.query(["webhooks": webhooks]))", try TestVideo.digits, type: "video/mp4")
                return (answer.status, try answer.json()["field"] as? String)
            }
            let cases: [(Any, Int, String)] = [
                ([["url": "http://127.0.0.1/"]], 403, "webhooks[0].url"),
                ([["url": "http://b.test/"]], 403, "webhooks[0].url"),
                ([["url": "http://a.test/", "events": ["state"]] as [String: Any]], 400, "webhooks[0].events"),
                (Array(repeating: ["url": "http://a.test/"], count: 9), 400, "webhooks"),
                ([["uri": "http://a.test/"]], 400, "webhooks[0].uri"),
                ([["events": ["done"]]], 400, "webhooks[0].url"),
                ([:] as [String: String], 400, "webhooks"),
            ]
            for (webhooks, status, field) in cases {
                let answer = try await refused(webhooks)
                #expect(answer == (status, field), "\(webhooks)")
            }
        }
    }
}
