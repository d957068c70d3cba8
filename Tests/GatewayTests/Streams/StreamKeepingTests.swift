import Foundation
import TestSupport
import Testing

@testable import Gateway
@testable import Jobs

/// Live streams that outlast their gateway.
@Suite(.timeLimit(.minutes(5))) struct StreamKeepingTests {
    /// Where gateways one after the other keep what they know.
    private static func withFolder(_ body: (_ data: URL) async throws -> Void) async throws {
        let data = FileManager.default.temporaryDirectory.appending(path: "streams-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: data) }
        try await body(data)
    }

    private static func with(
        _ data: URL, configure: (inout GatewayConfiguration) throws -> Void = { _ in },
        _ body: (TestGateway) async throws -> Void
    ) async throws {
        try await TestStream.with {
            $0.data = data.path
            // Looked for again and again in a moment.
            $0.limits.streams.lease = .milliseconds(300)
            try configure(&$0)
        } _: {
            try await body($0)
        }
    }

    private static func untilThere(_ path: String, _ gateway: TestGateway) async throws -> [String: Any] {
        while true {
            let answer = try await gateway.get(path)
            if answer.status == 200 { return try answer.json() }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// Takes what is in the database, as another gateway does.
    private static func take(_ data: URL, until: JobTime = .now) async throws -> StoredStream? {
        let store = try await JobDatabase.sqlite.open(in: data.path, now: .now)
        let found = try await store.claimStream(by: "test", now: JobTime(milliseconds: .max), until: until)
        try await store.close()
        return found
    }

    private static func untilNothingIsKept(_ data: URL) async throws {
        let store = try await JobDatabase.sqlite.open(in: data.path, now: .now)
        let count = {
            try await store.database.read { session in
                var row = try session.run("SELECT COUNT(*) FROM framemesh_stream", [])[0]
                return try row.integer()
            }
        }
        while try await count() > 0 { try await Task.sleep(for: .milliseconds(10)) }
        try await store.close()
    }

    @Test func aStreamGoesOnInTheNextLifeOfItsGateway() async throws {
        try await Self.withFolder { data in
            var path = ""
            var before: [String: Any] = [:]
            try await Self.with(data) { gateway in
                path = try await TestStream.begin(
                    gateway, ["name": "street", "source": ["file": "digits.mp4"], "pipeline": "track", "max_fps": 5])
                let put = try await gateway.send(
                    "PUT", path + "/areas", body: try JSONSerialization.data(withJSONObject: TestStream.everywhere))
                #expect(put.status == 200, "\(put.text)")
                before = try await gateway.get(path).json()
            }
            try await Self.with(data) { gateway in
                let after = try await Self.untilThere(path, gateway)
                for field in ["id", "name", "pipeline", "policy", "max_fps", "created_at", "source", "areas"] {
                    #expect((after[field] as? NSObject) == (before[field] as? NSObject), "\(field)")
                }
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                let frame = try await events.first { $0.name == "frame" }.json()
                #expect(frame["status"] as? String == "ok")
                #expect(try await gateway.send("DELETE", path).status == 204)
            }
            #expect(try await Self.take(data) == nil, "what was removed stays so")
        }
    }

    /// Nobody need be told of a mesh that is away where nothing waits for it; and then in plain words.
    @Test func keptStreamsThatWaitForAMeshAreInTheLog() async throws {
        try await Self.withFolder { data in
            let log = LogRecorder()
            let said = { log.lines.filter { $0.message == "kept live streams wait" } }
            try await TestGateway.with(logger: log.logger) {
                $0.data = data.path
                $0.limits.streams.lease = .milliseconds(60)
            } _: { gateway in
                let store = try await JobDatabase.sqlite.open(in: data.path, now: .now)
                // It looks for them three times in the time of a lease.
                try await Task.sleep(for: .milliseconds(300))
                #expect(said().isEmpty)
                try await store.create(
                    StoredStream(id: "s", owner: "", request: "{}", createdAt: .now), by: "other", until: .now)
                while said().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
                try await store.close()
            }
            let cause = said().first?.metadata["cause"] ?? ""
            #expect(cause.contains("coordinator") && !cause.contains("Problem"), "\(cause)")
        }
    }

    @Test func whatCannotGoOnIsForgotten() async throws {
        try await Self.withFolder { data in
            try await Self.with(data) { gateway in
                _ = try await TestStream.begin(
                    gateway, ["source": ["file": "digits.mp4"], "pipeline": "detect", "max_fps": 1])
            }
            let stored = try #require(try await Self.take(data))
            #expect(stored.request.contains("digits.mp4"))
            // The folder is another one by now.
            try await Self.with(data, configure: { $0.cameraFolder = data.path }) { gateway in
                try await Self.untilNothingIsKept(data)
                #expect(try await (gateway.get("/v1/streams").json()["streams"] as? [Any])?.isEmpty == true)
            }
        }
    }

    @Test func aStreamThatHasEndedIsNotBegunAgain() async throws {
        try await Self.withFolder { data in
            try await Self.with(data, configure: { $0.limits.streams.pushIdle = .milliseconds(50) }) { gateway in
                let path = try await TestStream.begin(gateway, TestStream.pushed)
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                _ = try await events.first { $0.name == "end" }
                try await Self.untilNothingIsKept(data)
                // It is still shown.
                #expect(try await gateway.get(path).json()["state"] as? String == "ended")
            }
        }
    }

    @Test func aStreamThatAnotherGatewayHasByNowEndsHere() async throws {
        try await Self.withFolder { data in
            try await Self.with(data) { gateway in
                let path = try await TestStream.begin(
                    gateway, ["source": ["file": "digits.mp4"], "pipeline": "detect", "max_fps": 5])
                var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
                // As if this gateway had not been heard of for long.
                let taken = try #require(try await Self.take(data, until: JobTime(milliseconds: .max)))
                #expect(path == "/v1/streams/\(taken.id)")
                _ = try await events.first { $0.name == "end" }
            }
        }
    }

    @Test func aGatewayThatEndsDoesNotWaitForWhoLooksOn() async throws {
        var viewers: [EventReader] = []
        try await TestStream.with {
            $0.drainTimeout = .seconds(3600)
        } _: { gateway in
            let path = try await TestStream.begin(
                gateway, ["source": ["file": "digits.mp4"], "pipeline": "detect", "max_fps": 5])
            var events = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            _ = try await events.first { $0.name == "frame" }
            viewers.append(events)
        }
        // It has ended, and they are still there.
        withExtendedLifetime(viewers) {}
    }

    @Test func whoComesAfterTheEndIsToldOfIt() async throws {
        try await TestStream.with {
            $0.limits.streams.pushIdle = .milliseconds(50)
        } _: { gateway in
            let path = try await TestStream.begin(gateway, TestStream.pushed)
            var first = try await EventReader(gateway.base + path + "/events", lastEventID: "0")
            _ = try await first.first { $0.name == "end" }
            var later = try await EventReader(gateway.base + path + "/events")
            #expect(try await later.first { $0.name == "state" }.json()["state"] as? String == "ended")
            _ = try await later.first { $0.name == "end" }
            #expect(try await gateway.get(path + "/mjpeg").status == 409)
        }
    }

    @Test func onlyTheGatewaysUserReadsTheDatabase() async throws {
        try await Self.withFolder { data in
            try await Self.with(data) { gateway in
                _ = try await TestStream.begin(gateway, TestStream.pushed)
                for name in try FileManager.default.contentsOfDirectory(atPath: data.path)
                where name.contains(".sqlite") {
                    let attributes = try FileManager.default.attributesOfItem(atPath: data.appending(path: name).path)
                    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600, "\(name)")
                }
            }
        }
    }
}
